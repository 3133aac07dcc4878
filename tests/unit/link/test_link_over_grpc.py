"""A parent and its children over real gRPC on loopback, their stores in memory."""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import aclosing, suppress

import grpc.aio
import pytest
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.link_pb2_grpc import LinkServiceStub
from zongheng.v1.query_pb2 import AlertQuestion, AlertRow, AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.journal.checkpoint import Signer, cosignatures, log_id
from federation.link import lanes
from federation.link.handshake import Decision
from federation.link.memory import (
    MemoryInbox,
    MemoryJournal,
)
from federation.query.part import Parts
from federation.rollup.row import RollupRow
from tests.unit.link.units import (
    TOWN,
    VILLAGE,
    Child,
    Parent,
    entries,
    eventually,
    hello_of,
    now_us,
    relayed,
)


async def test_ten_thousand_entries_arrive_identical_and_cosigned(parent: Parent) -> None:
    child = Child(parent)
    await child.journal.append(entries(10_000))
    async with child.running():
        await eventually(lambda: child.journal.cosigned_size == 10_000)
    assert parent.entries_of(VILLAGE) == child.journal.tree.leaves
    held = await parent.inbox.held(VILLAGE)
    assert held.root == (await child.journal.head()).root
    [cosignature] = cosignatures(child.journal.cosigned_note, [parent.signer.cosignature_verifier])
    assert cosignature.name == parent.signer.name


async def test_a_new_entry_is_at_the_parent_within_a_moment(parent: Parent) -> None:
    async with Child(parent).running() as child:
        await eventually(lambda: child.dialler.status.state == "up")
        started = time.monotonic()
        await child.journal.append(entries(1))
        await eventually(lambda: child.journal.cosigned_size == 1)
        assert time.monotonic() - started < 0.5


async def test_a_parent_that_crashes_and_comes_back_is_caught_up(parent: Parent) -> None:
    async with Child(parent).running() as child:
        await child.journal.append(entries(700))
        await eventually(lambda: child.journal.cosigned_size == 700)
        for crash in range(3):
            await parent.down()
            await child.journal.append(entries(300, 700 + 300 * crash))
            await eventually(lambda: child.dialler.status.state != "up")
            await parent.up()
            await eventually(lambda: child.journal.cosigned_size == len(child.journal.tree.leaves))
        assert parent.entries_of(VILLAGE) == child.journal.tree.leaves
        assert len(child.journal.tree.leaves) == 1_600


async def test_a_parent_that_crashes_in_the_middle_of_a_push_loses_and_doubles_nothing(
    parent: Parent,
) -> None:
    async with Child(parent).running() as child:
        await child.journal.append(entries(20_000))
        for at in (1_000, 5_000, 9_000):
            await eventually(lambda at=at: len(parent.entries_of(VILLAGE)) >= at)  # type: ignore[misc]
            await parent.down()
            await parent.up()
        await eventually(lambda: child.journal.cosigned_size == 20_000)
        assert parent.entries_of(VILLAGE) == child.journal.tree.leaves


async def test_a_parent_that_is_not_there_yet_is_found_when_it_comes(parent: Parent) -> None:
    await parent.down()
    async with Child(parent).running() as child:
        await child.journal.append(entries(3))
        await eventually(lambda: child.dialler.status.code == "unreachable")
        await parent.up()
        await eventually(lambda: child.journal.cosigned_size == 3)
        assert "failures" in child.backoff.text


async def test_a_goodbye_is_clean_on_both_sides(parent: Parent) -> None:
    child = Child(parent)
    async with child.running():
        await eventually(lambda: parent.listener.is_connected(VILLAGE))
        started = time.monotonic()
    assert time.monotonic() - started < 1
    await eventually(lambda: not parent.listener.is_connected(VILLAGE))
    assert child.dialler.status.state == "stopped"


async def test_a_stopping_parent_says_when_to_come_back(parent: Parent) -> None:
    async with Child(parent).running() as child:
        await eventually(lambda: child.dialler.status.state == "up")
        parent.listener.close("maintenance", retry_after_ms=5_000)
        await eventually(lambda: child.dialler.status.state == "resting")
        assert child.dialler.status.retry_at_us > now_us() + 4_000_000
        assert "maintenance" in child.dialler.status.words
        assert child.operator.told == []


async def test_a_newer_session_of_a_node_fences_the_older_one_off(parent: Parent) -> None:
    first = Child(parent)
    async with first.running():
        await eventually(lambda: first.dialler.status.state == "up")
        async with parent.channel() as channel:
            stub = LinkServiceStub(channel)
            call = stub.Link()
            await call.write(wire.LinkRequest(hello=await hello_of(first.journal, "second-session")))
            assert (await call.read()).WhichOneof("frame") == "welcome"
            await eventually(lambda: first.dialler.status.code == "fenced")
            push = stub.Push()
            await push.write(wire.PushRequest(session="session-of-nobody", first=0, leaves=[b"x"]))
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await push.read()
            assert refused.value.code() is grpc.StatusCode.ABORTED
            assert ("zongheng-code", "fenced") in tuple(refused.value.trailing_metadata() or ())
            call.cancel()
        assert [code for code, _ in first.operator.told] == ["fenced"]
        assert first.dialler.status.retry_at_us > now_us() + 20_000_000


async def test_a_frozen_child_is_seen_by_its_silence() -> None:
    parent = Parent(heartbeat_ms=300)
    await parent.up()
    journal = MemoryJournal(Signer.generate(log_id(VILLAGE, "0123456789")))
    async with parent.channel() as channel:
        call = LinkServiceStub(channel).Link()
        await call.write(wire.LinkRequest(hello=await hello_of(journal, "frozen-session")))
        await call.read()
        assert parent.listener.is_connected(VILLAGE)
        started = time.monotonic()
        await eventually(lambda: not parent.listener.is_connected(VILLAGE))
        assert time.monotonic() - started > 0.5
        call.cancel()
    await parent.server.stop(0.2)


async def test_a_frozen_parent_is_seen_by_its_silence() -> None:
    class Frozen:
        async def serve(
            self, request_iterator: object, context: grpc.aio.ServicerContext[object, object]
        ) -> None:
            await context.read()
            welcome = wire.Welcome(verdict=wire.VERDICT_PUSH, held_root=await empty_root(), heartbeat_ms=100)
            await context.write(wire.LinkResponse(welcome=welcome))
            await asyncio.sleep(30)

    server = grpc.aio.server()
    handlers = {
        "Link": grpc.stream_stream_rpc_method_handler(
            Frozen().serve, wire.LinkRequest.FromString, wire.LinkResponse.SerializeToString
        )
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("zongheng.v1.LinkService", handlers),)
    )
    parent = Parent()
    parent.port = parent.certified.credentials.server_port(server, "127.0.0.1:0")
    await server.start()
    try:
        async with Child(parent).running() as child:
            await eventually(lambda: child.dialler.status.state == "up")
            await eventually(lambda: "silent" in child.dialler.status.words)
    finally:
        await server.stop(None)


async def empty_root() -> bytes:
    return (await MemoryJournal(Signer.generate(log_id(VILLAGE, "0123456789"))).head()).root


async def test_garbage_on_the_port_disturbs_nobody(parent: Parent) -> None:
    async with Child(parent).running() as child:
        await eventually(lambda: child.dialler.status.state == "up")
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", bytes(5_000), secrets.token_bytes(20_000), b""):
            _, writer = await asyncio.open_connection("127.0.0.1", parent.port)
            writer.write(garbage)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        await child.journal.append(entries(10))
        await eventually(lambda: child.journal.cosigned_size == 10)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda hello: hello.card.ClearField("node"), "protocol"),
        (lambda hello: setattr(hello, "protocol", 99), "protocol"),
        (lambda hello: setattr(hello, "root", b"short"), "protocol"),
        (lambda hello: setattr(hello, "session", ""), "protocol"),
        (lambda hello: setattr(hello.card, "parent", "elsewhere"), "not_enrolled"),
        (lambda hello: setattr(hello.card, "checkpoint", "nothing"), "bad_signature"),
        (lambda hello: setattr(hello, "size", 2), "bad_signature"),
        (lambda hello: hello.descendants.add(node="stray", parent="other"), "protocol"),
        (lambda hello: hello.descendants.add(node=TOWN, parent=VILLAGE), "protocol"),
    ],
)
async def test_a_hello_that_is_none_is_refused(
    parent: Parent, spoil: Callable[[wire.Hello], object], code: str
) -> None:
    journal = MemoryJournal(Signer.generate(log_id(VILLAGE, "0123456789")), entries(3))
    hello = await hello_of(journal, "some-session")
    spoil(hello)
    async with parent.channel() as channel:
        call = LinkServiceStub(channel).Link()
        await call.write(wire.LinkRequest(hello=hello))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call.read()
        assert ("zongheng-code", code) in tuple(refused.value.trailing_metadata() or ())
    assert not parent.listener.is_connected(VILLAGE)


async def test_another_journal_under_a_known_name_is_refused_and_the_operator_told_once(
    parent: Parent,
) -> None:
    async with Child(parent).running() as child:
        await eventually(lambda: child.dialler.status.state == "up")
    async with Child(parent).running() as impostor:
        await eventually(lambda: impostor.dialler.status.code == "wrong_log")
        await asyncio.sleep(0.3)
        assert [code for code, _ in impostor.operator.told] == ["wrong_log"]


async def test_a_parent_restored_from_an_old_backup_is_sent_the_entries_again(parent: Parent) -> None:
    journal = MemoryJournal(Signer.generate(log_id(VILLAGE, "0123456789")), entries(30))
    await relayed(parent, journal)
    restored = MemoryInbox(parent.signer, now_us)
    await restored.enrol((await hello_of(journal, "x")).card)
    await restored.accept(VILLAGE, 0, entries(10), await journal.note_at(10))
    parent.inbox = parent.listener._inbox = restored
    async with Child(parent, journal).running() as child:
        await eventually(lambda: len(parent.entries_of(VILLAGE)) == 30)
        assert any("restored" in words for _, words in child.operator.told)
    assert parent.entries_of(VILLAGE) == journal.tree.leaves


@pytest.mark.parametrize("size", [20, 30, 40])
async def test_a_rewritten_history_is_quarantined_with_both_heads_kept(parent: Parent, size: int) -> None:
    signer = Signer.generate(log_id(VILLAGE, "0123456789"))
    await relayed(parent, MemoryJournal(signer, entries(30)))
    rewritten = entries(size)
    rewritten[7] = b"nothing happened"
    journal = MemoryJournal(signer, rewritten)
    async with Child(parent, journal).running() as child:
        await eventually(lambda: child.dialler.status.state == "sealed")
        await eventually(lambda: len(parent.inbox.forks) == 1)
        assert child.operator.sealed is not None
        assert child.operator.sealed[0] is Decision.QUARANTINE
    [(node, held, shown, reason)] = parent.inbox.forks
    assert node == VILLAGE
    assert held != shown
    assert {held.split("\n")[1], shown.split("\n")[1]} == {"30", str(size)}
    assert "both signed heads" in reason
    assert parent.entries_of(VILLAGE) == entries(30)


async def test_leaves_that_do_not_give_the_signed_root_are_not_kept(parent: Parent) -> None:
    journal = MemoryJournal(Signer.generate(log_id(VILLAGE, "0123456789")), entries(10))
    journal.tree.leaves[4] = b"altered on disk"
    async with Child(parent, journal).running() as child:
        await eventually(lambda: child.operator.sealed is not None)
        assert child.operator.told[0][0] == "root_mismatch"
    assert parent.entries_of(VILLAGE) == []
    assert len(parent.inbox.forks) == 1


def row(day: int, received: int, version: int, node: str = VILLAGE) -> RollupRow:
    return RollupRow(node, day, "approval", "A1", "", "I1", {"received": received}, b"", b"", version)


async def test_reports_arrive_and_what_changed_meanwhile_collapses_to_the_latest(parent: Parent) -> None:
    child = Child(parent)
    for version in range(1, 6):
        await child.reporter.put(row(1, version, version), row(2, 9, version))
    async with child.running():
        await eventually(lambda: len(parent.sink.stored) == 2)
        assert parent.sink.reports == 1
        assert parent.sink.stored[row(1, 0, 0).key].figures == {"received": 5}
        await child.reporter.put(row(1, 50, 7))
        await eventually(lambda: parent.sink.stored[row(1, 0, 0).key].figures == {"received": 50})
        assert parent.sink.known[VILLAGE].keys() == {VILLAGE}


def with_hamlets(child: Child) -> list[NodeCard]:
    """Give a child two nodes below it, one below the other."""
    first = NodeCard(node=f"{VILLAGE}001", parent=VILLAGE, passport=b"shown")
    cards = [child.card, first, NodeCard(node=f"{VILLAGE}001.A", parent=first.node)]
    child.reporter.cards = cards
    return cards


async def test_after_the_first_a_report_names_only_the_cards_that_changed(parent: Parent) -> None:
    child = Child(parent)
    cards = with_hamlets(child)
    await child.reporter.put(row(1, 1, 1))
    async with child.running():
        await eventually(lambda: parent.sink.reports == 1)
        assert parent.sink.told == [[VILLAGE], [card.node for card in cards]]
        # A passport that was given once is left out: that alone is no change.
        changed = NodeCard(node=cards[2].node, parent=cards[1].node, checkpoint="later")
        child.reporter.cards = [cards[0], NodeCard(node=cards[1].node, parent=VILLAGE), changed]
        await child.reporter.put(row(1, 2, 2, node=cards[1].node))
        await eventually(lambda: parent.sink.reports == 2)
        assert parent.sink.told[2:] == [[cards[2].node]]
        await child.reporter.put(row(1, 3, 3, node=cards[2].node))
        await eventually(lambda: parent.sink.reports == 3)
        assert len(parent.sink.told) == 3
        assert parent.sink.known[VILLAGE][cards[2].node].checkpoint == "later"
        assert not child.operator.told


async def test_a_parent_that_does_not_know_of_it_is_given_every_card_each_time(parent: Parent) -> None:
    await parent.down()
    await parent.up(hand_down=lambda welcome: welcome.ClearField("changed_cards"))
    child = Child(parent)
    cards = with_hamlets(child)
    await child.reporter.put(row(1, 1, 1))
    async with child.running():
        await eventually(lambda: parent.sink.reports == 1)
        await child.reporter.put(row(1, 2, 2))
        await eventually(lambda: parent.sink.reports == 2)
    assert parent.sink.told[1:] == [[card.node for card in cards]] * 2


async def test_a_changed_card_must_lead_to_a_node_that_is_below_the_child(parent: Parent) -> None:
    child = Child(parent)
    await child.reporter.put(row(1, 1, 1))
    async with child.running():
        await eventually(lambda: parent.sink.reports == 1)
        child.reporter.cards = [child.card, NodeCard(node=f"{VILLAGE}001", parent="990103001")]
        await child.reporter.put(row(1, 2, 2))
        await eventually(lambda: bool(child.operator.told))
        assert child.operator.told[0][0] == "protocol"
    assert parent.sink.reports == 1


async def test_a_report_in_many_pieces_is_stored_as_one(parent: Parent) -> None:
    child = Child(parent)
    await child.reporter.put(*(row(day, 1, 5) for day in range(4_500)))
    async with child.running():
        await eventually(lambda: parent.sink.reports > 0)
        assert len(parent.sink.stored) == 4_500
        assert parent.sink.reports == 1


async def test_of_a_report_that_breaks_off_nothing_is_stored(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "slices", lambda rows: [rows[:1]])
    child = Child(parent)
    await child.reporter.put(row(1, 1, 5), row(2, 1, 5))
    async with child.running():
        await eventually(lambda: bool(child.operator.told))
        assert child.operator.told[0][0] == "protocol"
    assert parent.sink.stored == {}


async def test_a_child_cannot_report_for_a_node_that_is_not_below_it(parent: Parent) -> None:
    child = Child(parent)
    await child.reporter.put(row(1, 1, 1, node="990103001"))
    async with child.running():
        await eventually(lambda: bool(child.operator.told))
        assert child.operator.told[0][0] == "protocol"
        await child.journal.append(entries(5))
        await eventually(lambda: child.journal.cosigned_size == 5)
    assert parent.sink.stored == {}


QUESTION = Question(subtree=VILLAGE, alerts=AlertQuestion(level=3))


async def ask(parent: Parent, seconds: float = 5.0) -> list[AnswerPart]:
    deadline = asyncio.get_running_loop().time() + seconds
    return [part async for part in parent.listener.ask(VILLAGE, QUESTION, deadline)]


async def test_a_question_is_answered_in_parts_larger_than_a_message(parent: Parent) -> None:
    alerts = [AlertRow(alert_id=f"a{number}", case_id="c" * 500) for number in range(30_000)]

    async def answer(question: Question, deadline: float) -> Parts:
        assert question == QUESTION
        yield AnswerPart(node=VILLAGE, alerts=alerts)

    async with Child(parent, answer=answer).running():
        await eventually(lambda: parent.listener.is_connected(VILLAGE))
        parts = await ask(parent)
    assert len(parts) > 10
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert [row.alert_id for part in parts for row in part.alerts] == [row.alert_id for row in alerts]


async def test_a_slow_answer_ends_at_the_deadline_and_the_child_stops_working(parent: Parent) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def answer(question: Question, deadline: float) -> Parts:
        begun.set()
        try:
            yield AnswerPart(node=VILLAGE, more=True)
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with Child(parent, answer=answer).running():
        await eventually(lambda: parent.listener.is_connected(VILLAGE))
        # On a busy machine a question may be late before the child has begun with it: then it is asked with more time.
        seconds = 1.0
        while not begun.is_set():
            with pytest.raises(ZonghengError) as late:
                await ask(parent, seconds)
            assert late.value.code == "deadline"
            seconds *= 2
        await stopped.wait()


async def test_an_answer_may_take_long_to_begin(parent: Parent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("federation.link.listener._FIRST_FRAME_S", 0.2)

    async def answer(question: Question, deadline: float) -> Parts:
        await asyncio.sleep(0.6)
        yield AnswerPart(node=VILLAGE)

    async with Child(parent, answer=answer).running():
        await eventually(lambda: parent.listener.is_connected(VILLAGE))
        assert [part.node for part in await ask(parent)] == [VILLAGE]


async def test_an_asker_who_goes_away_stops_the_work_below(parent: Parent) -> None:
    stopped = asyncio.Event()

    async def answer(question: Question, deadline: float) -> Parts:
        try:
            while True:
                yield AnswerPart(node=VILLAGE, more=True, alerts=[AlertRow(case_id="c" * 1_000)] * 100)
        finally:
            stopped.set()

    async with Child(parent, answer=answer).running():
        await eventually(lambda: parent.listener.is_connected(VILLAGE))
        deadline = asyncio.get_running_loop().time() + 30
        async with aclosing(parent.listener.ask(VILLAGE, QUESTION, deadline)) as parts:
            async for _ in parts:
                break
        await asyncio.wait_for(stopped.wait(), 2)
        assert parent.listener.sessions()[0].orders == 0


async def test_a_question_that_fails_below_fails_with_the_same_code_above(parent: Parent) -> None:
    async def answer(question: Question, deadline: float) -> Parts:
        raise ZonghengError("not_found", "there is no case 7")
        yield AnswerPart()

    async with Child(parent, answer=answer).running():
        await eventually(lambda: parent.listener.is_connected(VILLAGE))
        with pytest.raises(ZonghengError, match="no case 7") as failed:
            await ask(parent)
        assert failed.value.code == "not_found"


async def test_a_child_that_breaks_off_an_answer_is_unreachable(parent: Parent) -> None:
    child: Child

    async def answer(question: Question, deadline: float) -> Parts:
        yield AnswerPart(node=VILLAGE, more=True)
        child.dialler.stop()
        await asyncio.sleep(30)

    child = Child(parent, answer=answer)
    async with child.running():
        await eventually(lambda: parent.listener.is_connected(VILLAGE))
        with pytest.raises(ZonghengError) as lost:
            await ask(parent)
        assert lost.value.code == "unreachable"


async def test_nobody_can_answer_a_question_that_was_not_asked(parent: Parent) -> None:
    async with Child(parent).running() as child:
        await eventually(lambda: parent.listener.is_connected(VILLAGE))
        session = parent.listener.sessions()[0].session
        async with parent.channel() as channel:
            call = LinkServiceStub(channel).Answer()
            part = AnswerPart(node=VILLAGE)
            await call.write(wire.AnswerRequest(session=session, order_id="guess", rows=part))
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        assert child.dialler.status.state == "up"
