"""Responsible posts (责任岗位) with who held them when, and the officers of a node with their certificates.

A post is published as a whole, each version an entry; everybody who ever held it stands in it with their days. Officers' names stay in the registry; until
when each of them is certified the library ``certificates`` says.
"""

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel
from zongheng.v1.items_pb2 import Post

from node.alerting.concerns import local_day
from node.people.caller import Caller
from node.projection.mandates import POST
from node.store.catalogue import Published as Piece
from node.supervision.concern import held_on
from node.views.libraries import VersionLine, history_of
from node.views.present import day_text
from node.views.sight import seen_by

if TYPE_CHECKING:
    from node.run import Node

CERTIFICATES: Final = "certificates"
_FOREVER: Final = 2**31 - 1


class HoldingView(BaseModel):
    officer: str
    name: str
    """From the registry; empty: it does not know this number."""
    since: str | None
    until: str | None


class PostView(BaseModel):
    """A responsible post (责任岗位), its newest version."""

    post: str
    version: int
    name: str
    agency: str
    duty: str
    holders: list[str]
    """Staff numbers of who holds it today."""
    holdings: list[HoldingView]
    history: list[VersionLine]


class CertificateView(BaseModel):
    """A certificate of the library ``certificates``."""

    kind: str
    text: str
    valid_from: str | None
    valid_to: str | None
    days_left: int | None
    """Days from today to its last day; negative: it has expired; null: it has no end."""


class OfficerView(BaseModel):
    """An officer of the registry."""

    number: str
    name: str
    agency: str
    active: bool
    posts: list[str]
    """Codes of the responsible posts that they hold today."""
    certified: bool
    """Some certificate is in force today."""
    certificates: list[CertificateView]


async def posts(node: "Node", caller: Caller, agency: str = "") -> list[PostView]:
    """Every responsible post that the caller sees, with who held it when."""
    await node.projector.settled()
    own = node.settings.node
    seen = await seen_by(node, caller)
    today = local_day(node.now(), (await node.contexts.of(own)).zone)
    names = {one.number: one.name for one in await (await node.registry()).officers()}
    found = []
    async with node.store.read() as session:
        by_code: dict[str, list[Piece]] = {}
        for piece in await session.catalogue.all(own, POST):
            by_code.setdefault(piece.code, []).append(piece)
        for pieces in by_code.values():
            post = Post.FromString(pieces[-1].body)
            if (seen is not None and post.agency not in seen) or (agency and post.agency != agency):
                continue
            history = await history_of(session, node, pieces, _holdings)
            found.append(
                PostView(
                    post=post.code,
                    version=post.version,
                    name=post.name,
                    agency=post.agency,
                    duty=post.duty,
                    holders=list(held_on(post, today)),
                    holdings=[
                        HoldingView(
                            officer=one.officer,
                            name=names.get(one.officer, ""),
                            since=day_text(one.from_day),
                            until=day_text(one.to_day),
                        )
                        for one in post.holdings
                    ],
                    history=history,
                )
            )
    return sorted(found, key=lambda one: one.post)


async def officers(
    node: "Node", caller: Caller, agency: str = "", within: int | None = None
) -> list[OfficerView]:
    """The officers that the caller sees; ``within``: only those of whom some certificate ends within so many days, or has ended."""
    await node.projector.settled()
    seen = await seen_by(node, caller)
    context = await node.contexts.of(node.settings.node)
    today = local_day(node.now(), context.zone)
    held: dict[str, list[CertificateView]] = {}
    table = context.context.libraries.get(CERTIFICATES)
    for row in () if table is None else table.iter_rows(named=True):
        ends = None if row["valid_to"] >= _FOREVER else row["valid_to"]
        held.setdefault(row["code"], []).append(
            CertificateView(
                kind=row["grade"],
                text=row["text"],
                valid_from=day_text(row["valid_from"]),
                valid_to=None if ends is None else day_text(ends),
                days_left=None if ends is None else ends - today,
            )
        )
    async with node.store.read() as session:
        pieces = await session.catalogue.all(node.settings.node, POST)
    newest = {piece.code: Post.FromString(piece.body) for piece in pieces}
    shown = []
    for one in await (await node.registry()).officers(agency or None):
        certificates = held.get(one.number, [])
        ending = [each.days_left for each in certificates if each.days_left is not None]
        if (seen is not None and one.agency not in seen) or (
            within is not None and not any(days <= within for days in ending)
        ):
            continue
        shown.append(
            OfficerView(
                number=one.number,
                name=one.name,
                agency=one.agency,
                active=one.active,
                posts=[code for code, post in sorted(newest.items()) if one.number in held_on(post, today)],
                certified=any(_in_force(each, today) for each in certificates),
                certificates=certificates,
            )
        )
    return shown


def _in_force(certificate: CertificateView, today: int) -> bool:
    begun = certificate.valid_from is None or certificate.valid_from <= (day_text(today) or "")
    return begun and (certificate.days_left is None or certificate.days_left >= 0)


def _holdings(body: bytes) -> tuple[str, set[bytes]]:
    post = Post.FromString(body)
    return post.by, {one.SerializeToString() for one in post.holdings}
