"""The cameras of one node that turn: who may, who has one, and that it stands still again.

Nobody turns a camera unasked: it is permitted camera by camera, as looking is, and whoever takes one is entered here before it moves. A camera moves for the seconds of a command
and is then stopped twice over: the device was told for how long, and this node tells it to stop. So it stands still soon after commands cease, whether a
finger was lifted, a page closed, a link cut, or a node on the way killed; where this node itself is killed the device has only its own word to keep.
A node that ends stops what moves before it goes.

Nothing is kept: after a start nobody has a camera, and whoever goes on steering takes it again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import structlog
from zongheng.v1 import camera_pb2
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.steering_pb2 import CameraSteered, SteerAnswer, SteeringEnded, SteerMove, SteerQuestion

from federation.errors import ZonghengError, of
from node.media.cameras import Cameras, Turning
from node.media.permission import Viewer
from node.media.steering.holds import LONGEST_S, SHORTEST_S, Hold, Holds, NotHeld

if TYPE_CHECKING:
    from node.media.onvif.device import Device

FASTEST: Final = 1_000

_STOPS: Final = 3
_REST_S: Final = 1.0
_FAREWELL_S: Final = 3.0

log = structlog.get_logger(__name__)


class Steering:
    """Belongs to one event loop."""

    def __init__(self, cameras: Cameras, write: Callable[[Sequence[Entry]], Awaitable[list[int]]]) -> None:
        self._cameras = cameras
        self._write = write
        self._holds = Holds()
        self._devices: dict[str, tuple[Turning, Device]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._ring = asyncio.Event()
        self._runs = False

    async def run(self) -> None:
        """Stop what is to be stopped and end holds that ran out; until cancelled."""
        self._runs = True
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._rest()
                    stop, over = self._holds.due(self._now_s())
                    for hold in stop:
                        self._holds.stands(hold, self._now_s())
                        tasks.create_task(self._stop(hold))
                    for hold in over:
                        if self._holds.end(hold):
                            tasks.create_task(self._ended(hold))
        finally:
            self._runs = False
            await self._farewell()

    async def answer(self, viewer: Viewer, question: SteerQuestion) -> SteerAnswer:
        """What a person, here or at a node above, wants of a camera of this node.

        Raises ZonghengError: `not_found`, `forbidden`, `steered`, `bad_request`, and what the device raises (`Device`).
        """
        if not self._runs:
            raise ZonghengError(
                "unreachable", f"{self._cameras.node} does not run: a camera is turned by a running node"
            )
        code = question.camera
        await self._cameras.check_steering(viewer, code)
        command = question.WhichOneof("command")
        if command == "look":
            return await self._look(code)
        if not 8 <= len(question.hold) <= 120 or not question.hold.startswith(f"{viewer.node}-"):
            raise ZonghengError("protocol", "a hold has a name of its own")
        if command == "take":
            await self._take(viewer, code, question.hold)
            return SteerAnswer()
        try:
            hold = self._holds.command(code, question.hold, question.number, self._now_s())
        except NotHeld:
            return SteerAnswer(over=True)
        if hold is None:
            return SteerAnswer(overtaken=True)
        if (hold.who.who, hold.who.node) != (viewer.who, viewer.node):
            raise ZonghengError("protocol", "a hold is its holder's alone")
        if command == "release":
            await self._let_go(hold)
            return SteerAnswer()
        async with self._lock(code):
            if hold.newest != question.number or self._holds.of(code, self._now_s()) is not hold:
                return SteerAnswer(overtaken=True)
            match command:
                case "move":
                    await self._move(hold, question.move)
                case "stop":
                    await self._halt(hold)
                case "preset":
                    await self._go_to(hold, question.preset.name)
                case _:
                    raise ZonghengError(
                        "bad_request", "this node knows no such command: it is to be upgraded first"
                    )
        return SteerAnswer()

    # What is asked.

    async def _look(self, code: str) -> SteerAnswer:
        device, profile = await self._device(code)
        answer = SteerAnswer(presets=[each.name for each in await device.presets(profile)])
        hold = self._holds.of(code, self._now_s())
        if hold is not None:
            answer.holder.CopyFrom(_viewer(hold.who))
        return answer

    async def _take(self, viewer: Viewer, code: str, hold_id: str) -> None:
        hold, before = self._holds.take(code, hold_id, viewer, self._now_s())
        if hold.entered:
            return
        try:
            if before is not None:
                over = before.until_s <= hold.since_s
                await self._ended(before, "" if over else f"{viewer.who}@{viewer.node}")
                if before.stop_at_s:
                    await self._stop(before)
            steered = CameraSteered(hold=hold.id, camera=self._name(code), viewer=_viewer(viewer))
            await self._write([Entry(source="node", camera_steered=steered)])
        except BaseException:
            self._holds.end(hold)
            raise
        hold.entered = True
        self._ring.set()
        log.info("camera.steered", camera=code, who=viewer.who, node=viewer.node)

    async def _let_go(self, hold: Hold) -> None:
        if self._holds.end(hold):
            if hold.stop_at_s:
                await self._stop(hold)
            await self._ended(hold)

    async def _move(self, hold: Hold, move: SteerMove) -> None:
        speeds = pan, tilt, zoom = move.pan / FASTEST, move.tilt / FASTEST, move.zoom / FASTEST
        for_s = move.for_ms / 1_000
        if any(abs(each) > 1 for each in speeds) or not any(speeds):
            raise ZonghengError("bad_request", "speeds are -1 to 1, and one of them is not 0")
        if not SHORTEST_S <= for_s <= LONGEST_S:
            raise ZonghengError("bad_request", f"a movement lasts {SHORTEST_S} to {LONGEST_S:.0f} s")
        device, profile = await self._device(hold.camera)
        # Before it is asked: an answer that is lost on the way back is no reason to let it move on.
        self._holds.moves(hold, for_s, self._now_s())
        self._ring.set()
        await device.moves(profile, pan, tilt, zoom, for_s)

    async def _halt(self, hold: Hold) -> None:
        device, profile = await self._device(hold.camera)
        await device.stops(profile)
        self._holds.stands(hold, self._now_s())

    async def _go_to(self, hold: Hold, name: str) -> None:
        device, profile = await self._device(hold.camera)
        known = await device.presets(profile)
        wanted = next((each for each in known if name in (each.name, each.token)), None)
        if wanted is None:
            raise ZonghengError(
                "not_found",
                f"camera {hold.camera} has no position {name!r}: see `zongheng camera steer --presets`",
            )
        await device.goes_to(profile, wanted.token)
        self._holds.stands(hold, self._now_s())
        hold.moves += 1

    # What goes on by itself.

    async def _rest(self) -> None:
        due_s = self._holds.next_s()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if due_s is None else max(0.0, due_s - self._now_s())):
                await self._ring.wait()
        self._ring.clear()

    async def _stop(self, hold: Hold) -> None:
        """Tell the device to stop, unless it was told to move again meanwhile."""
        for attempt in range(1, _STOPS + 1):
            try:
                async with self._lock(hold.camera):
                    now = self._holds.of(hold.camera, self._now_s())
                    if now is not None and now.stop_at_s and now is not hold:
                        return  # somebody else moves it, who stops it too
                    if now is hold and hold.stop_at_s > self._now_s():
                        return
                    device, profile = await self._device(hold.camera)
                    await device.stops(profile)
                return
            except ZonghengError as error:
                log.warning("camera.not_stopped", camera=hold.camera, code=error.code, attempt=attempt)
                await asyncio.sleep(_REST_S)

    async def _ended(self, hold: Hold, taken_by: str = "") -> None:
        if not hold.entered:
            return
        ended = SteeringEnded(
            hold=hold.id, camera=self._name(hold.camera), viewer=_viewer(hold.who), moves=hold.moves,
            seconds=max(0, round(self._now_s() - hold.since_s)), taken_by=taken_by,
        )  # fmt: skip
        try:
            await self._write([Entry(source="node", steering_ended=ended)])
        except Exception as failed:  # the journal takes nothing; the hold is over all the same
            log.exception("camera.steering_not_ended", code=of(failed).code)

    async def _farewell(self) -> None:
        """Stop what moves and close what is open."""
        moving = [
            hold for code in self._devices if (hold := self._holds.of(code, self._now_s())) and hold.stop_at_s
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_S), asyncio.TaskGroup() as tasks:
                for hold in moving:
                    hold.stop_at_s = 0.0
                    tasks.create_task(self._stop(hold))
        for _, device in self._devices.values():
            await device.close()
        self._devices.clear()

    async def _device(self, code: str) -> "tuple[Device, str]":
        """The camera's device, as it is registered now, and the profile by which it is steered."""
        # What asks devices is loaded where one is asked: most nodes have none.
        from node.media.onvif.device import Device

        turning = await self._cameras.turning(code)
        known = self._devices.get(code)
        if known is None or known[0] != turning:
            device = Device(turning.address, turning.user, turning.password)
            self._devices[code] = turning, device
            if known is not None:
                await known[1].close()
            return device, turning.profile
        return known[1], turning.profile

    def _lock(self, code: str) -> asyncio.Lock:
        return self._locks.setdefault(code, asyncio.Lock())

    def _name(self, code: str) -> str:
        return f"{self._cameras.node}/{code}"

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _viewer(who: Viewer) -> camera_pb2.Viewer:
    return camera_pb2.Viewer(
        who=who.who,
        node=who.node,
        tier=who.tier,
        roles=sorted(who.roles),
        agency=who.agency,
        purpose=who.purpose,
    )
