"""Copied answers: found though dates, numbers and some words were changed, and no honest answer taken for a copy."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.intake_pb2 import Submission, SubmitRequest

from node.intake.likeness import ALIKE, BANDS, bands, letters, likeness
from tests.unit.intake.conftest import NOW_US, Desk

ANSWER = (
    "张先生您好，您于2026年3月2日反映的朝阳路12号夜间施工噪声扰民问题收悉。经我局执法人员现场核查，该工地已办理夜间施工许可，"
    "施工时间为晚十点之前。我局已要求施工单位合理安排工序，采取降噪措施，并加强巡查。感谢您对我们工作的理解与支持。"
)
COPY = (
    "李女士您好，您于2026年4月17日反映的朝阳路36号夜间施工噪声扰民问题收悉。经我局执法人员现场核查，该工地已办理夜间施工许可，"
    "施工时间为晚十点之前。我局已要求施工单位合理安排工序，采取降噪措施，并加强巡查。感谢您对我局工作的理解与支持！"
)
OTHER = (
    "王先生您好，您于2026年3月5日反映的小区垃圾清运不及时问题收悉。经我局工作人员与物业公司核实，清运车辆故障导致三日未清运，"
    "现已更换车辆并恢复每日两次清运，责令物业公司书面整改。感谢您对我们工作的理解与支持。"
)
KEY = bytes(32)


def alike(one: str, other: str) -> float:
    return likeness(letters(one), letters(other))


def test_another_name_day_and_number_make_no_other_answer() -> None:
    assert alike(ANSWER, COPY) >= ALIKE
    assert letters("2026年3月2日，第 17 号！") == "年月日第号"


def test_two_answers_in_one_polite_frame_are_two() -> None:
    assert alike(ANSWER, OTHER) < 0.5


def test_a_short_answer_is_a_copy_of_the_same_words_only() -> None:
    assert alike("已处理。", " 已 处理") == 1.0
    assert alike("已处理", "已受理") == 0.0


words = st.lists(st.text(string.ascii_lowercase, min_size=4, max_size=9), min_size=60, max_size=90)


@given(words, st.integers(0, 29))
def test_texts_with_one_word_changed_share_a_band(said: list[str], at: int) -> None:
    changed = [*said[:at], "zzzz", *said[at + 1 :]]
    one, other = letters("".join(said)), letters("".join(changed))
    if likeness(one, other) >= 0.95:
        assert set(bands(one, KEY)) & set(bands(other, KEY))


def test_bands_are_the_same_every_time_and_say_nothing_without_the_key() -> None:
    plain = letters(ANSWER)
    assert bands(plain, KEY) == bands(plain, KEY)
    assert len(set(bands(plain, KEY))) == BANDS
    assert not set(bands(plain, KEY)) & set(bands(plain, bytes([1] * 32)))


def answered(case: str, text: str, agency: str = "HB", serial: str = "", stated: str = "") -> Submission:
    event = CaseEvent(
        case_id=case, domain="complaint", kind="answered", at_us=NOW_US - 1_000_000, received_at_us=NOW_US, agency=agency, actor="S1"
    )  # fmt: skip
    if stated:
        event.attributes.append(Attribute(name="fingerprint", text=stated))
    return Submission(serial=serial or case, event=event, texts={"answer": text})


async def fingerprints(desk: Desk) -> list[str]:
    return [
        attribute.text
        for entry in await desk.entries()
        for attribute in entry.case_event.attributes
        if attribute.name == "fingerprint"
    ]


async def hand_in(desk: Desk, *submissions: Submission) -> int:
    answer = await desk.intake.submit(SubmitRequest(source="hotline", submissions=submissions))
    assert not answer.rejected
    return answer.accepted


async def test_copies_have_one_fingerprint_and_other_answers_their_own(desk: Desk) -> None:
    await hand_in(desk, answered("c-1", ANSWER), answered("c-2", COPY), answered("c-3", OTHER))
    await hand_in(desk, answered("c-4", COPY.replace("合理安排工序", "科学安排工序")))
    first, second, third, fourth = await fingerprints(desk)
    assert first == second == fourth
    assert third != first


async def test_answers_of_two_agencies_are_not_compared(desk: Desk) -> None:
    await hand_in(desk, answered("c-1", ANSWER, "HB"), answered("c-2", COPY, "ZJ"))
    first, second = await fingerprints(desk)
    assert first != second


async def test_a_new_process_knows_what_was_answered_before(desk: Desk) -> None:
    await hand_in(desk, answered("c-1", ANSWER))
    anew = await desk.reopened()
    await hand_in(anew, answered("c-2", COPY))
    first, second = await fingerprints(anew)
    assert first == second


async def test_what_the_sender_says_of_its_own_copies_does_not_count(desk: Desk) -> None:
    await hand_in(desk, answered("c-1", ANSWER, stated="A"), answered("c-2", COPY, stated="B"))
    first, second = await fingerprints(desk)
    assert first == second
    assert first not in ("A", "B")


async def test_an_answer_that_is_sent_again_is_a_repeat(desk: Desk) -> None:
    await hand_in(desk, answered("c-1", ANSWER))
    again = await desk.intake.submit(SubmitRequest(source="hotline", submissions=[answered("c-1", ANSWER)]))
    assert (again.accepted, again.repeated, len(again.rejected)) == (0, 1, 0)


@pytest.mark.parametrize("text", [ANSWER, "已处理"])
async def test_the_very_same_text_is_known_after_the_first_was_erased(desk: Desk, text: str) -> None:
    await hand_in(desk, answered("c-1", text))
    (digest,) = [
        attribute.text
        for entry in await desk.entries()
        for attribute in entry.case_event.attributes
        if attribute.name == "answer"
    ]
    async with desk.store.write() as session:
        await session.vault.erase_text(digest)
    await hand_in(desk, answered("c-2", text))
    first, second = await fingerprints(desk)
    assert first == second
