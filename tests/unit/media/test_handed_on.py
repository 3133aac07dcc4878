"""Streams that are handed on, over deaths of whoever hands them on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from federation.errors import ZonghengError
from node.media import handed_on as module
from node.media.handed_on import Ended, HandedOn
from node.media.webrtc.places import Held
from node.people.caller import OPERATOR, Caller
from node.store.store import Store
from node.store.vault import Vault

STREAM, ENDPOINT, TOKEN = "9901/hall/main", "https://media.example/whip", "very-secret-token"


class Hands:
    """A media worker as far as handing on goes."""

    def __init__(self) -> None:
        self.refuses: ZonghengError | None = None
        self.handed: list[tuple[str, str, str]] = []
        self.open: dict[str, Ended] = {}

    async def hand_on(self, caller: Caller, stream: str, endpoint: str, token: str, ended: Ended) -> Held:
        if self.refuses is not None:
            raise self.refuses
        self.handed.append((stream, endpoint, token))
        session = f"s{len(self.handed)}"
        self.open[session] = ended
        return Held(session, stream, caller.who, "", "v")

    async def end(self, caller: Caller, session: str) -> None:
        self.open.pop(session)(None)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(str(tmp_path / "store.sqlite"))
    yield opened
    await opened.close()


@asynccontextmanager
async def at_work(hands: Hands, store: Store) -> AsyncIterator[HandedOn]:
    handed = HandedOn(hands, store, Vault(bytes(32)), lambda: 1)
    await handed.open()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(handed.run())
        yield handed
        running.cancel()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_REST_S", 0.01)


def _on_disk(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir()]


async def test_what_was_handed_on_is_so_again_after_the_node_died(store: Store, tmp_path: Path) -> None:
    before, after = Hands(), Hands()
    async with at_work(before, store) as handed:
        order = await handed.begin(OPERATOR, STREAM, ENDPOINT, TOKEN)
        assert order.session == "s1"
    async with at_work(after, store) as handed:
        await eventually(lambda: bool(after.handed))
        assert after.handed == before.handed == [(STREAM, ENDPOINT, TOKEN)]
        assert [one.id for one in handed.orders] == [order.id]
    assert not any(TOKEN.encode() in each for each in _on_disk(tmp_path))


async def test_a_worker_that_died_and_a_server_that_refuses_are_tried_again_and_told(store: Store) -> None:
    hands = Hands()
    async with at_work(hands, store) as handed:
        order = await handed.begin(OPERATOR, STREAM, ENDPOINT, TOKEN)
        hands.refuses = ZonghengError("unreachable", "the media worker does not run")
        hands.open.pop("s1")(ZonghengError("unreachable", "the media worker was started again"))
        await eventually(lambda: order.error is not None and "does not run" in order.error.detail)
        assert order.session == ""
        hands.refuses = None
        await eventually(lambda: order.session == "s2")
        assert order.error is None


@pytest.mark.parametrize("error", [None, ZonghengError("viewer_removed", "V-1 ended it")])
async def test_what_was_ended_by_somebody_stays_ended(store: Store, error: ZonghengError | None) -> None:
    hands = Hands()
    async with at_work(hands, store) as handed:
        await handed.begin(OPERATOR, STREAM, ENDPOINT, TOKEN)
        hands.open.pop("s1")(error)
        await eventually(lambda: not handed.orders)
    async with at_work(hands, store) as handed:
        await asyncio.sleep(0.05)
        assert handed.orders == []
    assert len(hands.handed) == 1


async def test_an_order_is_taken_back_also_while_it_cannot_be_carried_out(store: Store) -> None:
    hands = Hands()
    async with at_work(hands, store) as handed:
        one = await handed.begin(OPERATOR, STREAM, ENDPOINT, TOKEN)
        two = await handed.begin(OPERATOR, "9901/yard/main", ENDPOINT, "")
        await handed.take_back(OPERATOR, one.id)
        assert list(hands.open) == ["s2"]
        hands.refuses = ZonghengError("unreachable")
        hands.open.pop("s2")(ZonghengError("unreachable"))
        await eventually(lambda: two.error is not None)
        await handed.take_back(OPERATOR, two.id)
        assert handed.orders == []
        with pytest.raises(ZonghengError) as unknown:
            await handed.take_back(OPERATOR, two.id)
        assert unknown.value.code == "not_found"


async def test_what_cannot_be_begun_is_not_kept(store: Store) -> None:
    hands = Hands()
    hands.refuses = ZonghengError("forbidden", "you may not")
    async with at_work(hands, store) as handed:
        with pytest.raises(ZonghengError) as refused:
            await handed.begin(OPERATOR, STREAM, ENDPOINT, TOKEN)
        assert refused.value.code == "forbidden"
        assert handed.orders == []
