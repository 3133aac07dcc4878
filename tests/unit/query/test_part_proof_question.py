"""Parts cut and joined, proofs that hold and proofs that do not, questions checked and put into words."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1.entry_pb2 import AlertRaised, Entry
from zongheng.v1.query_pb2 import (
    AlertQuestion,
    AlertRow,
    AnswerPart,
    CaseQuestion,
    CaseRow,
    ProvenEntry,
    Question,
    RerunQuestion,
    TrailQuestion,
)

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, Signer, log_id, sign
from federation.link.memory import MemoryTree
from federation.query.coverage import Tally
from federation.query.part import split, whole
from federation.query.proof import HeldHead, verify_part
from federation.query.question import DEFAULT_LIMIT, check, describe

NODE = "990102001"
LOG = log_id(NODE, "0123456789")
SIGNER = Signer.generate(LOG)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 3_000))
def test_a_part_comes_whole_out_of_its_chunks(alerts: int, cases: int, max_bytes: int) -> None:
    part = AnswerPart(
        node=NODE,
        journal_size=9,
        checkpoint="note",
        consistency=[bytes(32)],
        alerts=[AlertRow(alert_id=f"a{n}", case_id="c" * 40) for n in range(alerts)],
        cases=[CaseRow(case_id=f"c{n}") for n in range(cases)],
        unreachable=["990102002"],
    )
    chunks = list(split(part, max_bytes))
    assert [chunk.more for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    assert all(
        len(chunk.alerts) + len(chunk.cases) <= 1 or chunk.ByteSize() < max_bytes + 500 for chunk in chunks
    )
    other = AnswerPart(node="990102002", more=True)
    assert whole([other, *chunks]) == [part]


def test_a_part_that_broke_off_counts_as_not_answered() -> None:
    chunks = list(split(AnswerPart(node=NODE, alerts=[AlertRow(case_id="c" * 100)] * 50), 1_000))
    assert whole(chunks[:-1]) == []
    tally = Tally([NODE])
    for chunk in chunks[:-1]:
        tally.add(chunk)
    assert tally.coverage().unreachable == (NODE,)
    tally.add(chunks[-1])
    assert tally.coverage().complete()


def test_a_nodes_own_answer_counts_before_what_its_parent_says() -> None:
    tally = Tally(["a", "b"])
    tally.add(AnswerPart(node="a", stale=True, journal_size=3))
    tally.add(AnswerPart(unreachable=["a", "b"]))
    assert (tally.coverage().answered, tally.coverage().stale, tally.coverage().unreachable) == (0, 1, ("b",))
    tally.add(AnswerPart(node="a", journal_size=4))
    tally.add(AnswerPart(node="a", stale=True, journal_size=3))
    coverage = tally.coverage()
    assert (coverage.answered, coverage.stale, coverage.as_of[0].journal_size) == (1, 0, 4)


def test_a_truncated_answer_is_no_ground_for_a_verdict() -> None:
    tally = Tally(["a"])
    tally.add(AnswerPart(node="a", truncated=True))
    assert tally.coverage().truncated == ("a",)
    assert not tally.coverage().complete()


def raised(number: int) -> Entry:
    alert = AlertRaised(
        alert_id=f"a{number}", case_id=f"c{number}", rule="time", level=3, since_us=5, due_at_us=4
    )
    return Entry(noted_at_us=number, alert_raised=alert)


async def proven_part() -> tuple[AnswerPart, HeldHead]:
    """Alerts 100 and 130 of a journal of 150 entries, for somebody who holds its head at 90."""
    tree = MemoryTree(raised(number).SerializeToString() for number in range(150))
    reader = tree.reader()
    part = AnswerPart(
        node=NODE,
        journal_size=150,
        checkpoint=sign(Checkpoint(LOG, 150, tree.builder.root()), SIGNER),
        verifier=str(SIGNER.verifier),
        held_size=90,
        consistency=await reader.consistency_proof(90, 150),
    )
    for index in (100, 130):
        proof = await reader.inclusion_proof(index, 150)
        part.entries.append(ProvenEntry(index=index, leaf=tree.leaves[index], proof=proof))
        part.alerts.add(
            alert_id=f"a{index}",
            case_id=f"c{index}",
            rule="time",
            level=3,
            since_us=5,
            due_at_us=4,
            index=index,
        )
    return part, HeldHead(90, await reader.root(90))


async def test_an_honest_part_is_proven() -> None:
    part, held = await proven_part()
    assert verify_part(part, SIGNER.verifier, held).size == 150
    assert verify_part(part, SIGNER.verifier, None).size == 150


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (lambda part: setattr(part, "journal_size", 151), "bad_proof"),
        (lambda part: part.ClearField("checkpoint"), "bad_signature"),
        (lambda part: part.consistency.pop(), "bad_proof"),
        (lambda part: setattr(part.entries[0], "index", 101), "bad_proof"),
        (lambda part: setattr(part.entries[0], "leaf", b"forged"), "bad_proof"),
        (lambda part: part.entries[1].ClearField("proof"), "bad_proof"),
        (lambda part: setattr(part.alerts[0], "level", 2), "bad_proof"),
        (lambda part: setattr(part.alerts[0], "case_id", "another"), "bad_proof"),
        (lambda part: setattr(part.alerts[0], "due_at_us", 40), "bad_proof"),
        (lambda part: part.alerts.add(alert_id="invented", index=3), "bad_proof"),
        (lambda part: setattr(part, "more", True), "bad_proof"),
    ],
)
async def test_a_part_that_lies_is_caught(lie: Callable[[AnswerPart], object], code: str) -> None:
    part, held = await proven_part()
    lie(part)
    with pytest.raises(ZonghengError) as caught:
        verify_part(part, SIGNER.verifier, held)
    assert caught.value.code == code


async def test_a_part_signed_by_the_key_it_brings_along_proves_nothing() -> None:
    part, held = await proven_part()
    with pytest.raises(ZonghengError) as caught:
        verify_part(part, Signer.generate(LOG).verifier, held)
    assert caught.value.code == "bad_signature"


async def test_a_history_that_does_not_continue_the_held_one_is_caught() -> None:
    part, _ = await proven_part()
    with pytest.raises(ZonghengError) as caught:
        verify_part(part, SIGNER.verifier, HeldHead(90, bytes(32)))
    assert caught.value.code == "bad_proof"


@pytest.mark.parametrize(
    "question",
    [
        Question(subtree=NODE),
        Question(alerts=AlertQuestion()),
        Question(subtree="x" * 300, alerts=AlertQuestion()),
        Question(subtree="a\nb", alerts=AlertQuestion()),
        Question(subtree=NODE, alerts=AlertQuestion(), limit=2_000_000),
        Question(subtree=NODE, alerts=AlertQuestion(level=9)),  # type: ignore[arg-type]
        Question(subtree=NODE, alerts=AlertQuestion(from_us=5, to_us=4)),
        Question(subtree=NODE, cases=CaseQuestion(state="sleeping")),
        Question(subtree=NODE, cases=CaseQuestion(from_us=-1)),
        Question(subtree=NODE, trail=TrailQuestion()),
        Question(subtree=NODE, rerun=RerunQuestion()),
        Question(subtree=NODE, rerun=RerunQuestion(rule="r", as_of_us=-1)),
        Question(subtree=NODE, rerun=RerunQuestion(rule="r", limit_days=100_000)),
    ],
)
def test_what_cannot_be_asked_is_refused(question: Question) -> None:
    with pytest.raises(ZonghengError) as refused:
        check(question)
    assert refused.value.code == "bad_request"


def test_a_question_without_a_limit_gets_one_and_is_left_alone() -> None:
    question = Question(subtree=NODE, alerts=AlertQuestion(level=3))
    assert check(question).limit == DEFAULT_LIMIT
    assert question.limit == 0


@pytest.mark.parametrize(
    ("question", "zh", "en"),
    [
        (
            Question(subtree=NODE, alerts=AlertQuestion(level=3, agency="A1"), proof=True),
            "990102001及其下级：红牌，部门 A1，附证明",
            "990102001 and below: red cards, agency A1, with proofs",
        ),
        (
            Question(subtree=NODE, alerts=AlertQuestion(domain="resupervision")),
            "990102001及其下级：全部预警，领域 resupervision",
            "990102001 and below: alerts, domain resupervision",
        ),
        (
            Question(subtree=NODE, cases=CaseQuestion(state="late", from_us=1_700_000_000_000_000)),
            "990102001及其下级：超期办件，自 2023-11-15 06:13:20",
            "990102001 and below: late cases, from 2023-11-15 06:13:20",
        ),
        (
            Question(subtree=NODE, trail=TrailQuestion(case_id="c-7")),
            "990102001及其下级：办件 c-7 的全部记录",
            "990102001 and below: everything about case c-7",
        ),
        (
            Question(subtree=NODE, rerun=RerunQuestion(rule="time", threshold=-2, limit_days=15)),
            "990102001及其下级：重算规则 time，阈值 -2，时限 15 天",
            "990102001 and below: rule time run again, threshold -2, limit 15 days",
        ),
    ],
)
def test_a_question_is_put_into_words(question: Question, zh: str, en: str) -> None:
    assert describe(question) == zh
    assert describe(question, "en") == en
