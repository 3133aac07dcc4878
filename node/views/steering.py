"""Cameras that turn, for whoever may turn them: of this node and of those below."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from zongheng.v1.steering_pb2 import SteerMove, SteerPreset, SteerQuestion, SteerRelease, SteerStop

from node.people.caller import Caller
from node.views.streams import viewer_of

if TYPE_CHECKING:
    from node.run import Node

_FASTEST = 1_000


class Command(BaseModel):
    """What a camera is to do: move for some seconds, stop, go to a position it keeps, or be let go."""

    model_config = ConfigDict(extra="forbid")

    pan: float = Field(default=0, ge=-1, le=1)
    """Part of the fastest; right is positive."""
    tilt: float = Field(default=0, ge=-1, le=1)
    """Up is positive."""
    zoom: float = Field(default=0, ge=-1, le=1)
    """In is positive."""
    seconds: float = Field(default=1, ge=0.1, le=10)
    """It stands still after that, unless another command comes."""
    stop: bool = False
    preset: str = Field(default="", max_length=200)
    release: bool = False
    """Others may have it from now on."""
    purpose: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _one_thing(self) -> "Command":
        if [bool(self.pan or self.tilt or self.zoom), self.stop, bool(self.preset), self.release].count(
            True
        ) != 1:
            raise ValueError("say one thing: move (pan, tilt, zoom), stop, go to a preset, or release")
        return self


class Obeyed(BaseModel):
    """What became of a command."""

    camera: str
    did: Literal["move", "stop", "preset", "release"]
    overtaken: bool
    """A later command was there before this one, which was left out."""


class PresetsView(BaseModel):
    """What a camera can do, for somebody who may turn it."""

    camera: str
    presets: list[str]
    """Positions that it keeps."""
    holder: str | None
    """Who turns it now; null: nobody."""
    holder_node: str | None
    """Where they sit."""


async def presets(node: "Node", caller: Caller, camera: str) -> PresetsView:
    """What a camera can do. ZonghengError as `Helm.look`."""
    told = await node.helm.look(viewer_of(node, caller, ""), camera)
    held = told.HasField("holder")
    return PresetsView(
        camera=camera,
        presets=list(told.presets),
        holder=told.holder.who if held else None,
        holder_node=told.holder.node if held else None,
    )


async def steer(node: "Node", caller: Caller, camera: str, form: Command) -> Obeyed:
    """Have a camera obey. ZonghengError as `Helm.steer`."""
    did, question = _question(form)
    told = await node.helm.steer(viewer_of(node, caller, form.purpose), camera, question)
    return Obeyed(camera=camera, did=did, overtaken=told.overtaken)


def _question(form: Command) -> tuple[Literal["move", "stop", "preset", "release"], SteerQuestion]:
    if form.stop:
        return "stop", SteerQuestion(stop=SteerStop())
    if form.preset:
        return "preset", SteerQuestion(preset=SteerPreset(name=form.preset))
    if form.release:
        return "release", SteerQuestion(release=SteerRelease())
    pan, tilt, zoom = (round(each * _FASTEST) for each in (form.pan, form.tilt, form.zoom))
    move = SteerMove(pan=pan, tilt=tilt, zoom=zoom, for_ms=round(form.seconds * 1_000))
    return "move", SteerQuestion(move=move)
