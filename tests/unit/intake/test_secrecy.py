"""State secrets are turned away at the door, and nothing of them stays."""

from collections.abc import Callable

import pytest
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.intake_pb2 import Submission

from node.intake.door import Door, Refused
from node.intake.secrecy import is_marked, may_be_marked

NOW = 1_780_000_000_000_000


@pytest.mark.parametrize(
    "text",
    ["机密★10年", "绝密 ★ 长期", "关于某事的请示【秘密】", "（涉密）专项", "机密", " 秘密级 ", "绝密件"],
)
def test_a_marking_is_seen(text: str) -> None:
    assert is_marked(text)
    assert may_be_marked(text.encode())


@pytest.mark.parametrize(
    "text", ["商业秘密保护", "保守国家秘密法宣传", "秘密投票", "公开", "★★★ 好评", "机密设备备案", ""]
)
def test_words_that_only_speak_of_secrets_are_none(text: str) -> None:
    assert not is_marked(text)


def submission(**more: str) -> Submission:
    event = CaseEvent(
        case_id="c1", domain="approval", kind="acceptance", at_us=NOW, agency="ZR", item="I-1", actor="1"
    )
    for name, text in more.items():
        event.attributes.append(Attribute(name=name, text=text))
    return Submission(serial="s1", event=event, row=7)


def test_what_a_source_marks_is_refused_with_nothing_of_it_kept() -> None:
    door = Door("oa", "", NOW)
    marked = submission()
    marked.classified = True
    refused = door.admit(marked)
    assert isinstance(refused, Refused)
    assert refused.code == "classified"
    draft, told = door.rejected(marked, refused)
    assert (told.sha256, told.row) == ("", 7)
    for part in (b"c1", b"I-1", b"ZR"):
        assert part not in draft.leaf
    # Nor can it be told from the serial what it was: another of the same row and number gives the same.
    other = submission()
    other.event.case_id = "c2"
    assert door.rejected(other, refused)[0].serial == draft.serial


def test_a_text_or_code_that_carries_a_marking_is_refused_on_either_way_in() -> None:
    door = Door("oa", "", NOW)
    plain = submission()
    assert not isinstance(door.admit(plain), Refused)
    coded = submission()
    coded.event.item = "机密"
    told = submission()
    told.event.kind = "completion"
    told.texts["reason"] = "详见机密★10年文件"
    for one in (coded, told):
        refused = door.admit(one)
        assert isinstance(refused, Refused)
        assert refused.code == "classified"


def test_a_mapping_says_which_records_are_classified(translate: Callable[..., list[str]]) -> None:
    mapping = """
source = "oa"
[case]
id = { column = "id" }
classified = { level = ["秘密", "机密", "绝密"] }
[event]
time = { column = "at" }
agency = { column = "agency" }
kind = "=application"
"""
    file = "id,at,agency,level\nc1,2024-03-01 09:00,A,公开\nc2,2024-03-01 09:00,A,机密\n"
    first, second = translate(mapping, "oa.csv", file)
    assert "c1" in first
    assert "classified" in second
    assert "c2" not in second
