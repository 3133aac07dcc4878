"""The cameras of one node: registered, changed, removed, and who may look through which.

What people fill in is in the registry; that a camera is there, what it may show to whom, and that it is gone are entries. The entry comes
first: killed in between, the camera is registered again, and nothing was there that nobody heard of. Ancestors know cameras by the node's card, which is
kept beside the store too, so that a start needs no registry.

A camera's password is sealed under the vault's key for its camera alone and opened only to reach the camera. Nothing shows it, not even to whoever gave it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import structlog
from zongheng.v1 import camera_pb2 as wire
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.trunk.frame import Quality
from node.config import NodeSettings
from node.media.ingest.source import Mask, Source
from node.media.permission import Hours, Permission, View, Viewer, may_watch
from node.pictures_up import MOST_OF_A_CARD
from node.projection.context import Contexts
from node.store.store import Session, Store
from node.store.vault import Vault
from node.wallclock import Now

if TYPE_CHECKING:
    from node.models.cameras import CameraForm, CameraRows
    from node.models.registry import Registry

MOST_CAMERAS: Final = 500

_CARDS: Final = "cameras"

_RECORDED: Final = {
    "never": wire.CAMERA_RECORDED_NEVER,
    "on_alert": wire.CAMERA_RECORDED_ON_ALERT,
    "office_hours": wire.CAMERA_RECORDED_OFFICE_HOURS,
    "always": wire.CAMERA_RECORDED_ALWAYS,
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Turning:
    """How a camera is turned."""

    address: str
    """Of its ONVIF service."""
    user: str
    password: str = field(repr=False)
    profile: str


class Cameras:
    """The register of one node's cameras."""

    def __init__(
        self,
        settings: NodeSettings,
        store: Store,
        vault: Vault,
        contexts: Contexts,
        own: NodeCard,
        registry: Callable[[], Awaitable["Registry"]],
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
        now: Now,
    ) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._contexts = contexts
        self._own = own
        self._registry = registry
        self._write = write
        self._now = now
        self._listeners: list[Callable[[], None]] = []
        self._registered: list[Callable[[], None]] = []

    @property
    def node(self) -> str:
        """Whose cameras they are."""
        return self._settings.node

    @property
    def kind(self) -> str:
        """Tier of the node, or `department`."""
        return self._settings.kind

    def listen_registered(self, told: Callable[[], None]) -> None:
        """Call ``told`` whenever a camera was registered, changed or removed."""
        self._registered.append(told)

    def listen(self, told: Callable[[], None]) -> None:
        """Call ``told`` whenever a camera was registered, changed or removed, or became another state."""
        self._listeners.append(told)

    @property
    def cards(self) -> Sequence[wire.CameraCard]:
        """The node's cameras as ancestors know them; known since the start, without the registry."""
        return self._own.cameras

    async def open(self, session: Session) -> None:
        """Put the cameras on the node's card."""
        kept = await session.links.get(_CARDS)
        if kept is not None:
            self._own.cameras.extend(NodeCard.FromString(kept).cameras)

    async def all(self) -> list["CameraForm"]:
        """Every camera, by code."""
        return [form for form, _ in await (await self._rows()).all()]

    async def get(self, code: str) -> "CameraForm":
        """One camera; ZonghengError `not_found`."""
        form, _ = await (await self._rows()).get(code)
        return form

    async def register(self, form: "CameraForm", password: str | None, by: str) -> int:
        """Register a camera, or change the one of its code; returns the index of the entry.

        ``password`` None: the one it had. Raises ZonghengError `busy` for more than `MOST_CAMERAS`.
        """
        rows = await self._rows()
        known = dict(await rows.all())
        kept = {each.code: secret for each, secret in known.items()}
        if form.code not in kept and len(kept) >= MOST_CAMERAS:
            raise ZonghengError(
                "busy", f"{MOST_CAMERAS} cameras are registered here: give others to a node below"
            )
        secret = kept.get(form.code, b"")
        if password is not None:
            secret = self._vault.lock(password.encode(), _place(form.code)) if password else b""
        (index,) = await self._write([Entry(source="node", camera_registered=_registered(form, by))])
        await rows.put(form, secret, self._now())
        cards = [card for card in self._own.cameras if card.camera != form.code]
        before = next((card for card in self._own.cameras if card.camera == form.code), None)
        await self._keep([*cards, _card(form, before)])
        self._tell(self._registered)
        log.info("camera.registered", camera=form.code, kind=form.kind, by=by)
        return index

    async def remove(self, code: str, by: str, reason: str) -> int:
        """Remove a camera, its password with it; returns the index of the entry. ZonghengError `not_found`."""
        rows = await self._rows()
        await rows.get(code)
        removed = wire.CameraRemoved(camera=code, by=by, reason=reason)
        (index,) = await self._write([Entry(source="node", camera_removed=removed)])
        await rows.remove(code)
        await self._keep([card for card in self._own.cameras if card.camera != code])
        self._tell(self._registered)
        log.info("camera.removed", camera=code, by=by)
        return index

    async def note_state(
        self, code: str, state: "wire.CameraState.ValueType", since_us: int, error: str = ""
    ) -> wire.CameraStateNoted | None:
        """A camera became another state: entered, and put on the card. Returns what was entered; None: nothing is new.

        An outage is numbered by the instant at which it began, until the camera sees again, whatever else is wrong with it meanwhile.
        """
        card = next((card for card in self._own.cameras if card.camera == code), None)
        if card is None or card.state == state:
            return None
        hours = await self.hours(await self.get(code))
        fresh = wire.CameraCard()
        fresh.CopyFrom(card)
        fresh.state, fresh.since_us = state, since_us
        out = wire.CAMERA_STATE_SEEING, wire.CAMERA_STATE_UNSPECIFIED
        if state not in out and card.state in out:
            fresh.outage = since_us // 1_000_000
        noted = wire.CameraStateNoted(
            camera=code,
            state=state,
            since_us=since_us,
            code=error,
            open_hours=hours.are_open(since_us),
            outage=fresh.outage,
        )
        if state == wire.CAMERA_STATE_SEEING:
            fresh.outage = 0
        await self._write([Entry(source="node", camera_state_noted=noted)])
        await self._keep([fresh if each.camera == code else each for each in self._own.cameras])
        return noted

    async def show(self, picture: wire.CameraPicture) -> None:
        """Put a small picture on the node's card, in the place of the camera's one before."""
        others = [one for one in self._own.pictures if one.camera != picture.camera]
        self._put_pictures([*others, picture])
        self._tell(self._listeners)

    async def source(self, code: str, quality: Quality) -> Source:
        """Where a camera's stream is had from, with its password: for who reaches the camera, and for nobody else.

        Raises ZonghengError `not_found` when there is no such camera or it has no such stream.
        """
        form, secret = await (await self._rows()).get(code)
        address = form.sub_address if quality is Quality.SUB else form.address
        if form.kind == "whip" and quality is Quality.MAIN:
            return Source("whip:")
        if not address or form.kind == "whip":
            raise ZonghengError("not_found", f"camera {code} has no {quality} stream of its own")
        password = self._vault.unlock(secret, _place(code)).decode() if secret else ""
        masks = tuple(Mask(mask.left, mask.top, mask.width, mask.height) for mask in form.masks)
        burnt = masks if form.masks_burnt else ()
        return Source(address, form.user, password, form.transcode, burnt, form.sound)

    async def turning(self, code: str) -> Turning:
        """How a camera is turned, with its password: for who reaches it, and for nobody else. Raises ZonghengError `not_found`."""
        form, secret = await (await self._rows()).get(code)
        if not form.steered:
            raise ZonghengError("not_found", f"camera {code} of {self.node} cannot be turned")
        password = self._vault.unlock(secret, _place(code)).decode() if secret else ""
        return Turning(form.onvif, form.user, password, form.ptz_profile)

    async def password(self, code: str) -> str:
        """The password that a camera has, to ask its device anew; empty: none. Raises ZonghengError `not_found`."""
        _, secret = await (await self._rows()).get(code)
        return self._vault.unlock(secret, _place(code)).decode() if secret else ""

    async def hours(self, form: "CameraForm") -> Hours:
        """When the camera's hall is open."""
        context = await self._contexts.of(self._settings.node)
        return Hours(form.opens_min, form.closes_min, ZoneInfo(self._settings.zone), context.context.calendar)

    async def has_hall(self) -> bool:
        """Whether this node supervises its service hall: a village does not."""
        return any(domain.code == "hall" for domain in (await self._contexts.of(self.node)).domains)

    async def check_watching(self, viewer: Viewer, code: str, view: View) -> "CameraForm":
        """The camera that somebody may watch now. Raises ZonghengError `forbidden`, `not_found`."""
        form = await self.get(code)
        await self._check(viewer, form, view, f"watch camera {code} ({view})")
        return form

    async def check_exporting(self, viewer: Viewer, code: str) -> None:
        """Raises ZonghengError `forbidden` where somebody may not have clips of this camera now, `not_found`."""
        await self._check(viewer, await self.get(code), View.EXPORT, f"have clips of camera {code}")

    async def check_steering(self, viewer: Viewer, code: str) -> None:
        """Raises ZonghengError `forbidden` where somebody may not turn this camera now, `not_found`."""
        form = await self.get(code)
        if not form.steered:
            raise ZonghengError("not_found", f"camera {code} of {self.node} cannot be turned")
        await self._check(viewer, form, View.STEER, f"turn camera {code}")

    async def _check(self, viewer: Viewer, form: "CameraForm", view: View, words: str) -> None:
        hours, now_us = await self.hours(form), self._now()
        if not may_watch(viewer, self.node, _permissions(form), view, hours, now_us):
            raise ZonghengError(
                "forbidden",
                f"{viewer.who} of {viewer.node} may not {words} now: ask whoever registers the cameras of {self.node}",
            )

    async def _rows(self) -> "CameraRows":
        from node.models.cameras import CameraRows

        return CameraRows(await self._registry())

    async def _keep(self, cards: Sequence[wire.CameraCard]) -> None:
        kept = NodeCard(cameras=sorted(cards, key=lambda card: card.camera))
        async with self._store.write() as session:
            await session.links.put(_CARDS, kept.SerializeToString())
        del self._own.cameras[:]
        self._own.cameras.extend(kept.cameras)
        self._put_pictures(self._own.pictures)
        self._tell(self._listeners)

    def _put_pictures(self, pictures: Iterable[wire.CameraPicture]) -> None:
        """Have these on the card, of the cameras that are pictured."""
        wanted = pictured(self._own.cameras)
        kept = sorted((one for one in pictures if one.camera in wanted), key=lambda one: one.camera)
        del self._own.pictures[:]
        self._own.pictures.extend(kept)

    @staticmethod
    def _tell(listeners: Sequence[Callable[[], None]]) -> None:
        for told in listeners:
            told()


def pictured(cards: Iterable[wire.CameraCard]) -> frozenset[str]:
    """The cameras whose picture stands on the node's card: the first of each hall, by code."""
    first: dict[str, str] = {}
    for card in sorted(cards, key=lambda card: card.camera):
        first.setdefault(card.hall, card.camera)
    return frozenset(sorted(first.values())[:MOST_OF_A_CARD])


def _place(code: str) -> str:
    return f"camera/{code}"


def _permissions(form: "CameraForm") -> list[Permission]:
    return [
        Permission(
            frozenset(each.roles), frozenset(each.agencies), frozenset(each.tiers), each.office_hours,
            frozenset(View(view) for view in each.views),
        )
        for each in form.permissions
    ]  # fmt: skip


def _told_permissions(form: "CameraForm") -> list[wire.CameraPermission]:
    return [
        wire.CameraPermission(
            roles=each.roles,
            agencies=each.agencies,
            tiers=each.tiers,
            office_hours=each.office_hours,
            views=each.views,
        )
        for each in form.permissions
    ]


def _masks(form: "CameraForm") -> list[wire.CameraMask]:
    return [
        wire.CameraMask(
            left=round(mask.left * 1_000),
            top=round(mask.top * 1_000),
            width=round(mask.width * 1_000),
            height=round(mask.height * 1_000),
        )
        for mask in form.masks
    ]


def _registered(form: "CameraForm", by: str) -> wire.CameraRegistered:
    return wire.CameraRegistered(
        camera=form.code,
        name=form.name,
        hall=form.hall,
        window=form.window,
        kind=form.kind,
        has_sub=bool(form.sub_address),
        opens_min=form.opens_min,
        closes_min=form.closes_min,
        permissions=_told_permissions(form),
        masks=_masks(form),
        masks_burnt=form.masks_burnt,
        transcode=form.transcode,
        sound=form.sound,
        recording=wire.CameraRecording(
            when=_RECORDED[form.recording.when],
            days=form.recording.days,
            before_min=form.recording.before_min,
        ),
        by=by,
        agency=form.agency,
        steered=form.steered,
        snapshots=wire.CameraSnapshots(every_min=form.snapshots.every_min, days=form.snapshots.days)
        if form.snapshots.every_min
        else None,
    )


def _card(form: "CameraForm", before: wire.CameraCard | None) -> wire.CameraCard:
    return wire.CameraCard(
        camera=form.code,
        name=form.name,
        hall=form.hall,
        window=form.window,
        has_sub=bool(form.sub_address),
        state=wire.CAMERA_STATE_UNSPECIFIED if before is None else before.state,
        since_us=0 if before is None else before.since_us,
        outage=0 if before is None else before.outage,
        masks=[] if form.masks_burnt else _masks(form),
        permissions=_told_permissions(form),
        steered=form.steered,
    )
