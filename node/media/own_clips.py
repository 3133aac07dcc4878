"""Clips cut out of what this node's cameras recorded, for whoever a camera permits; who has one is entered before they get it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from zongheng.v1.camera_pb2 import ClipExported, Viewer
from zongheng.v1.clips_pb2 import ClipAnswer, ClipQuestion, WitnessCamera
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.files.room import Room
from node.files.shelf import Shelf
from node.media import permission
from node.media.cameras import Cameras
from node.media.care import Care
from node.media.recording import stretch
from node.media.recording.archive import Archive
from node.media.recording.cutting import cut_apart
from node.store.store import Store


class OwnClips:
    """Belongs to one event loop."""

    def __init__(
        self,
        recordings: Path,
        archive: Archive,
        cameras: Cameras,
        care: Care,
        store: Store,
        shelf: Shelf,
        room: Room,
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
    ) -> None:
        self._recordings = recordings
        self._archive = archive
        self._cameras = cameras
        self._care = care
        self._store = store
        self._shelf = shelf
        self._room = room
        self._write = write

    async def cut(self, viewer: Viewer, question: ClipQuestion, most: int = 0) -> ClipAnswer:
        """Cut one and lay it on the shelf. ``most``: bytes that it may have; 0: any.

        Raises ZonghengError `forbidden`, `bad_request`, `not_found` where nothing was recorded, `too_large`, `disk_full`.
        """
        camera, from_us, to_us = question.camera, question.from_us, question.to_us
        await self._cameras.check_exporting(permission.viewer(viewer), camera)
        stretch.check(from_us, to_us)
        await self._room.make(await asyncio.to_thread(self._archive.size, camera, from_us, to_us))
        part = f"clip.{secrets.token_hex(8)}"
        try:
            into = await asyncio.to_thread(self._shelf.part, part)
            made = await cut_apart(self._recordings, camera, from_us, to_us, into)
            if most and made.bytes > most:
                raise ZonghengError(
                    "too_large",
                    f"this clip has {made.bytes} bytes, and {most} can be had from above: cut several, or cut it at {self._cameras.node}",
                )
            entry = ClipExported(
                camera=camera, viewer=viewer, from_us=made.from_us, to_us=made.to_us, sha256=made.sha256,
                bytes=made.bytes, alert_id=question.alert_id, case_id=question.case_id, gaps=made.gaps,
            )  # fmt: skip
            (index,) = await self._write([Entry(source="node", clip_exported=entry)])
            await asyncio.to_thread(self._shelf.add, part)
        finally:
            await asyncio.to_thread(self._shelf.forget, part)
        return ClipAnswer(
            from_us=made.from_us,
            to_us=made.to_us,
            sha256=made.sha256,
            bytes=made.bytes,
            gaps=made.gaps,
            index=index,
        )

    async def witnesses(self, alert_id: str) -> list[WitnessCamera]:
        """The cameras that saw what an alert of this node is about. Raises ZonghengError `not_found`."""
        own = self._cameras.node
        async with self._store.read() as session:
            alert = await session.alerts.get(own, alert_id)
        if alert is None:
            raise ZonghengError("not_found", f"there is no alert {alert_id} at {own}")
        saw = []
        for form, from_us, to_us in await self._care.witnesses(alert.case_id, alert.agency, alert.since_us):
            segments = await asyncio.to_thread(self._archive.readable, form.code, from_us, to_us)
            seen_us = sum(min(each.to_us, to_us) - max(each.from_us, from_us) for each in segments)
            saw.append(
                WitnessCamera(
                    camera=f"{own}/{form.code}",
                    name=form.name,
                    window=form.window,
                    from_us=from_us,
                    to_us=to_us,
                    recorded_us=seen_us,
                )
            )
        return saw

    async def may_have(self, viewer: Viewer, camera: str) -> bool:
        """Whether somebody may see what a camera (`NODE/CAMERA`) recorded."""
        try:
            code = camera.partition("/")[2]
            await self._cameras.check_watching(permission.viewer(viewer), code, permission.View.RECORDED)
        except ZonghengError as error:
            if error.code != "forbidden":
                raise
            return False
        return True
