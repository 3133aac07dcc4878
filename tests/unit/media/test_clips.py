"""A clip is had from every node above its camera, piece by piece, entered at each; nobody else has it, and not what is not whole."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.clips_pb2 import ClipAnswer, ClipPieceQuestion, ClipQuestion, WitnessCamera, WitnessQuestion
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.files.shelf import Shelf
from node.media.clips import PIECE_BYTES, Clips
from tests.unit.live.offices import CITY, COUNTY, NEIGHBOUR, TOWN, VILLAGE, Offices, asker

QUESTION = ClipQuestion(camera="hall", from_us=1, to_us=2, alert_id="a-1")
CONTENT = Random(7).randbytes(9 * PIECE_BYTES + 11)


class Recordings:
    """One node's, of which every clip is the same bytes."""

    def __init__(self, node: str, shelf: Shelf) -> None:
        self._node = node
        self._shelf = shelf
        self.cut_for: list[str] = []
        self.hidden: set[str] = set()

    async def cut(self, viewer: Viewer, question: ClipQuestion, most: int = 0) -> ClipAnswer:
        if viewer.who == "W-9":
            raise ZonghengError("forbidden", "not you")
        self.cut_for.append(f"{viewer.who}@{viewer.node}")
        self._shelf.extend("new", CONTENT)
        digest = self._shelf.add("new")
        return ClipAnswer(from_us=1, to_us=2, sha256=digest, bytes=len(CONTENT), index=1)

    async def witnesses(self, alert_id: str) -> list[WitnessCamera]:
        return [
            WitnessCamera(camera=f"{self._node}/hall", name=alert_id),
            WitnessCamera(camera=f"{self._node}/cash"),
        ]

    async def may_have(self, viewer: Viewer, camera: str) -> bool:
        return camera not in self.hidden


class Archives:
    """Every office with its recordings and its shelf."""

    def __init__(self, folder: Path) -> None:
        self.offices = Offices()
        self.shelves = {node: Shelf(folder / node) for node in self.offices.live}
        self.own = {node: Recordings(node, shelf) for node, shelf in self.shelves.items()}
        self.entries: dict[str, list[Entry]] = {node: [] for node in self.offices.live}
        self.rooms: list[int] = []
        self.clips = {
            node: Clips(self.offices.trees[node], self.own[node], live, self.shelves[node], self._room, self._writer(node))
            for node, live in self.offices.live.items()
        }  # fmt: skip

    async def _room(self, size: int) -> None:
        self.rooms.append(size)

    def _writer(self, node: str):  # type: ignore[no-untyped-def]
        async def write(entries: Sequence[Entry]) -> list[int]:
            self.entries[node] += entries
            return [len(self.entries[node])]

        return write


@asynccontextmanager
async def archives(folder: Path) -> AsyncIterator[Archives]:
    made = Archives(folder)
    async with made.offices.running():
        yield made


async def test_the_city_has_a_villages_clip_and_each_node_on_the_way_enters_it(tmp_path: Path) -> None:
    async with archives(tmp_path) as made:
        clip = await made.clips[CITY].export(asker(CITY), VILLAGE, QUESTION)
        assert (clip.sha256, clip.hop, clip.index) == (sha256(CONTENT).hexdigest(), 3, 1)
        assert made.shelves[CITY].path(clip.sha256).read_bytes() == CONTENT
        assert made.rooms == [len(CONTENT)]
        assert not made.shelves[COUNTY].has(clip.sha256)
        for hop, node in enumerate((TOWN, COUNTY, CITY), start=1):
            (entered,) = [entry.clip_exported for entry in made.entries[node]]
            assert (entered.camera, entered.hop, entered.viewer.node) == (f"{VILLAGE}/hall", hop, CITY)
            assert (entered.sha256, entered.alert_id) == (clip.sha256, "a-1")


async def test_who_may_not_have_it_is_told_so_and_nothing_is_entered(tmp_path: Path) -> None:
    async with archives(tmp_path) as made:
        with pytest.raises(ZonghengError, match="not you") as told:
            await made.clips[CITY].export(asker(CITY, "W-9"), VILLAGE, QUESTION)
        assert told.value.code == "forbidden"
        assert not any(made.entries.values())


async def test_neither_a_neighbour_nor_a_node_below_has_anything(tmp_path: Path) -> None:
    async with archives(tmp_path) as made:
        clip = await made.clips[TOWN].export(asker(TOWN), VILLAGE, QUESTION)
        for node, of in ((NEIGHBOUR, VILLAGE), (VILLAGE, TOWN)):
            with pytest.raises(ZonghengError) as told:
                await made.clips[node].export(asker(node), of, QUESTION)
            assert told.value.code == "unknown_node"
            # Nor by asking past its own refusal.
            for body in (QUESTION, WitnessQuestion(alert_id="a-1"), ClipPieceQuestion(sha256=clip.sha256)):
                with pytest.raises(ZonghengError) as told:
                    await made.offices.live[node].ask(of, body, asker(node))
                assert told.value.code == "forbidden"
        # The county had none cut for itself.
        with pytest.raises(ZonghengError) as told:
            await made.offices.live[COUNTY].ask(VILLAGE, ClipPieceQuestion(sha256=clip.sha256), asker(COUNTY))
        assert told.value.code == "not_found"


async def test_what_came_damaged_is_no_clip(tmp_path: Path) -> None:
    async with archives(tmp_path) as made:
        whole = made.own[VILLAGE].cut

        async def then_damaged(viewer: Viewer, question: ClipQuestion, most: int = 0) -> ClipAnswer:
            clip = await whole(viewer, question, most)
            made.shelves[VILLAGE].path(clip.sha256).write_bytes(CONTENT[:-1] + b"\0")
            return clip

        made.own[VILLAGE].cut = then_damaged  # type: ignore[method-assign]
        with pytest.raises(ZonghengError) as told:
            await made.clips[CITY].export(asker(CITY), VILLAGE, QUESTION)
        assert told.value.code == "unreadable"
        assert made.shelves[CITY].used() == 0


async def test_the_witnesses_of_an_alert_below_are_those_that_one_may_see(tmp_path: Path) -> None:
    async with archives(tmp_path) as made:
        made.own[VILLAGE].hidden.add(f"{VILLAGE}/cash")
        saw = await made.clips[CITY].witnesses(asker(CITY), VILLAGE, "a-1")
        assert [(one.camera, one.name) for one in saw] == [(f"{VILLAGE}/hall", "a-1")]
        assert len(await made.clips[VILLAGE].witnesses(asker(VILLAGE), VILLAGE, "a-1")) == 2
