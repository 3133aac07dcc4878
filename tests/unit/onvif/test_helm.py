"""A camera is turned through every node on the way, each of which enters who takes it; nobody turns a neighbour's, or one above."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.steering_pb2 import SteerAnswer, SteerMove, SteerQuestion, SteerRelease, SteerStop, SteerTake

from federation.errors import ZonghengError
from node.media.permission import Viewer
from node.media.steering.helm import Helm
from tests.unit.live.offices import CITY, COUNTY, NEIGHBOUR, TOWN, VILLAGE, Offices, asker


@dataclass
class Cameras:
    """The cameras of one node, which do as they are told and remember it."""

    obeyed: list[tuple[str, SteerQuestion]] = field(default_factory=list)
    over: set[str] = field(default_factory=set)
    """Holds that are over."""

    async def answer(self, viewer: Viewer, question: SteerQuestion) -> SteerAnswer:
        copy = SteerQuestion()
        copy.CopyFrom(question)
        self.obeyed.append((viewer.who, copy))
        if question.WhichOneof("command") == "take":
            self.over.discard(question.hold)
            return SteerAnswer()
        return SteerAnswer(over=question.hold in self.over)

    @property
    def commands(self) -> list[str | None]:
        return [question.WhichOneof("command") for _, question in self.obeyed]


@dataclass
class Posts:
    """Every office with somebody at the helm."""

    offices: Offices = field(default_factory=Offices)
    cameras: dict[str, Cameras] = field(default_factory=dict)
    helms: dict[str, Helm] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    sealed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for node, live in self.offices.live.items():
            cameras = self.cameras[node] = Cameras()
            self.entries[node] = []
            self.helms[node] = Helm(self.offices.trees[node], cameras, live, self._writer(node))

    def _writer(self, node: str):  # type: ignore[no-untyped-def]
        async def write(entries: Sequence[Entry]) -> list[int]:
            if node in self.sealed:
                raise ZonghengError("sealed")
            self.entries[node] += entries
            return [len(self.entries[node])]

        return write

    def steered(self, node: str) -> list[tuple[str, str, int]]:
        told = [entry.camera_steered for entry in self.entries[node]]
        return [(one.camera, one.viewer.who, one.hop) for one in told]


@asynccontextmanager
async def posts() -> AsyncIterator[Posts]:
    made = Posts()
    async with made.offices.running():
        yield made


def move() -> SteerQuestion:
    return SteerQuestion(move=SteerMove(pan=500, for_ms=1_000))


HALL = f"{VILLAGE}/hall"


async def test_each_node_on_the_way_enters_once_who_takes_the_camera_and_how_far_it_is() -> None:
    async with posts() as made:
        for command in (move(), move(), SteerQuestion(stop=SteerStop())):
            await made.helms[CITY].steer(asker(CITY), HALL, command)
        assert made.cameras[VILLAGE].commands == ["take", "move", "move", "stop"]
        assert [question.number for _, question in made.cameras[VILLAGE].obeyed] == [0, 1, 2, 3]
        assert len({question.hold for _, question in made.cameras[VILLAGE].obeyed}) == 1
        for hop, node in enumerate((TOWN, COUNTY, CITY), start=1):
            assert made.steered(node) == [(HALL, "W-1", hop)]
        assert made.steered(NEIGHBOUR) == []


async def test_a_hold_that_is_over_is_taken_again_and_entered_again() -> None:
    async with posts() as made:
        await made.helms[TOWN].steer(asker(TOWN), HALL, move())
        made.cameras[VILLAGE].over.add(made.cameras[VILLAGE].obeyed[0][1].hold)
        await made.helms[TOWN].steer(asker(TOWN), HALL, move())
        assert made.cameras[VILLAGE].commands == ["take", "move", "move", "take", "move"]
        assert len(made.steered(TOWN)) == 2


async def test_what_was_let_go_is_taken_again_by_the_next_command_and_let_go_only_once() -> None:
    async with posts() as made:
        await made.helms[TOWN].steer(asker(TOWN), HALL, move())
        await made.helms[TOWN].steer(asker(TOWN), HALL, SteerQuestion(release=SteerRelease()))
        await made.helms[TOWN].steer(asker(TOWN), HALL, move())
        made.cameras[VILLAGE].over.add(made.cameras[VILLAGE].obeyed[0][1].hold)
        await made.helms[TOWN].steer(asker(TOWN), HALL, SteerQuestion(release=SteerRelease()))
        assert made.cameras[VILLAGE].commands == ["take", "move", "release", "take", "move", "release"]


async def test_two_at_one_node_hold_under_names_of_their_own() -> None:
    async with posts() as made:
        await asyncio.gather(
            *(made.helms[TOWN].steer(asker(TOWN, who), HALL, move()) for who in ("W-1", "W-2", "W-1"))
        )
        taken = [question.hold for _, question in made.cameras[VILLAGE].obeyed if question.HasField("take")]
        assert len(taken) == len(set(taken)) == 2


async def test_where_a_node_on_the_way_enters_nothing_nobody_turns_anything() -> None:
    async with posts() as made:
        made.sealed.add(COUNTY)
        with pytest.raises(ZonghengError) as told:
            await made.helms[CITY].steer(asker(CITY), HALL, move())
        assert told.value.code == "sealed"
        assert made.cameras[VILLAGE].commands == ["take"]
        assert made.steered(CITY) == []


async def test_nobody_turns_a_camera_of_a_neighbour_or_of_a_node_above() -> None:
    async with posts() as made:
        for camera in (HALL, f"{TOWN}/hall"):
            with pytest.raises(ZonghengError) as told:
                await made.helms[NEIGHBOUR].steer(asker(NEIGHBOUR), camera, move())
            assert told.value.code == "unknown_node"
            # Also where a node asks that would not look whether it may.
            question = SteerQuestion(camera="hall", hold=f"{NEIGHBOUR}-0123456789", take=SteerTake())
            with pytest.raises(ZonghengError) as told:
                await made.offices.live[NEIGHBOUR].ask(camera.partition("/")[0], question, asker(NEIGHBOUR))
            assert told.value.code == "forbidden"
        assert [cameras.obeyed for cameras in made.cameras.values()] == [[]] * 5


async def test_who_is_away_is_told_as_away_and_what_names_no_camera_as_that() -> None:
    async with posts() as made:
        made.offices.lanes[VILLAGE].cut()
        with pytest.raises(ZonghengError) as told:
            await made.helms[CITY].steer(asker(CITY), HALL, move())
        assert told.value.code == "unreachable"
        for camera in ("hall", f"{VILLAGE}/", f"{VILLAGE}/hall/main"):
            with pytest.raises(ZonghengError) as told:
                await made.helms[VILLAGE].look(asker(VILLAGE), camera)
            assert told.value.code == "bad_request"
