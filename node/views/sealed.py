"""Complaints sealed to a node above: written and asked after below, read and answered there."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from node.people.caller import Caller
from node.sealed.letters import Receipt
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node


class Complaint(BaseModel):
    """What somebody complains about, and to whom."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(min_length=1)
    about: str = Field(min_length=1)
    text: str = ""


class Complained(BaseModel):
    """A complaint that was entered. Nobody keeps the receipt but who wrote it."""

    index: int
    receipt: str


class Asked(BaseModel):
    """A receipt that somebody shows."""

    model_config = ConfigDict(extra="forbid")

    receipt: str


class AnswerView(BaseModel):
    """An answer, for whoever holds the receipt."""

    origin: str
    at: str | None
    about: str
    text: str
    by: str


class SealedView(BaseModel):
    """Something that was sealed to this node; what it says is shown by reading it."""

    origin: str
    index: int
    at: str | None
    bytes: int
    state: str
    """``kept``: opened and in the vault; ``unreadable``."""
    words: str
    answered: int | None
    """Index of the newest answer in this node's journal."""


class Look(BaseModel):
    """Who reads it."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""


class Reading(BaseModel):
    """What it says."""

    origin: str
    index: int
    about: str
    text: str
    written_at: str | None


class Reply(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)
    by: str = ""


class Replied(BaseModel):
    """Where the answer was entered."""

    index: int


async def complain(node: "Node", form: Complaint) -> Complained:
    """Seal a complaint to a node above."""
    index, receipt = await node.letters.complain(form.to, form.about, form.text)
    return Complained(index=index, receipt=str(receipt))


async def answers(node: "Node", form: Asked) -> list[AnswerView]:
    """Answers that came for a receipt."""
    receipt = Receipt.parse(form.receipt)
    await node.projector.settled()
    return [
        AnswerView(
            origin=answer.origin,
            at=time_text(answer.content.written_at_us, node.settings.zone),
            about=answer.content.about,
            text=answer.content.text,
            by=answer.content.by,
        )
        for answer in await node.letters.answers(receipt)
    ]


async def sealed(node: "Node") -> list[SealedView]:
    """What was sealed to this node, the newest first."""
    await node.projector.settled()
    return [
        SealedView(
            origin=row.origin,
            index=row.idx,
            at=time_text(row.at_us, node.settings.zone),
            bytes=len(row.body),
            state="unreadable" if row.words else "kept",
            words=row.words,
            answered=row.answered_idx,
        )
        for row in await node.letters.rows()
    ]


async def read(node: "Node", caller: Caller, origin: str, index: int, form: Look) -> Reading:
    """What one says; that it was read is entered first."""
    content = await node.letters.read(origin, index, caller.signing(form.by))
    return Reading(
        origin=origin,
        index=index,
        about=content.about,
        text=content.text,
        written_at=time_text(content.written_at_us, node.settings.zone),
    )


async def answer(node: "Node", caller: Caller, origin: str, index: int, form: Reply) -> Replied:
    """Answer one: only the receipt opens the answer."""
    return Replied(index=await node.letters.answer(origin, index, form.text, caller.signing(form.by)))
