"""Cases opened and moved on by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest
from zongheng.v1.intake_pb2 import SubmitRequest

from federation.errors import ZonghengError
from node.intake.desk import SOURCE, move_case, new_case_id, open_case
from node.intake.times import micros

NOW = micros(datetime(2024, 3, 5, 17, 30, tzinfo=UTC))
ZONE = "Asia/Shanghai"


def opened(**said: Any) -> Any:
    return open_case("v1", at="2024-03-05 09:30", agency="A01", item="X", zone=ZONE, now_us=NOW, **said)


def moved(kind: str, **said: Any) -> Any:
    return move_case("v1-1", kind, at="2024-03-06", agency="A01", zone=ZONE, now_us=NOW, **said)


def test_a_new_case_has_an_id_of_its_node_and_day() -> None:
    one, other = (new_case_id("v1", NOW, ZONE) for _ in range(2))
    assert one.startswith("v1-20240306-"), "the day is the node's own"
    assert one != other


def test_a_case_is_opened_as_a_business_system_would() -> None:
    one = opened(
        actor="U1", applicant_name="张三", attributes={"channel": "window", "statutory_due": "2024-04-01"}
    )
    assert one.event.kind == "application"
    assert one.event.at_us == micros(datetime.fromisoformat("2024-03-05T09:30+08:00"))
    assert one.event.received_at_us == NOW
    assert one.applicant.name == "张三"
    said = {attribute.name: attribute.text or attribute.integer for attribute in one.event.attributes}
    assert said == {"channel": "window", "statutory_due_day": 19814}


def test_a_day_stays_a_day_and_free_text_goes_to_the_vault() -> None:
    one = moved("completion", attributes={"result": "refused", "reason": "不符合条件", "certificate": ""})
    assert one.event.day_only
    assert dict(one.texts) == {"reason": "不符合条件"}
    assert [attribute.name for attribute in one.event.attributes] == ["result"]


@pytest.mark.parametrize(("amount", "fen"), [("80.00", 8000), (8000, 8000), ("¥1,080.5", 108050)])
def test_money_is_yuan_as_text_and_fen_as_a_number(amount: object, fen: int) -> None:
    assert moved("fee", attributes={"amount": amount}).event.attributes[0].integer == fen


@pytest.mark.parametrize(
    ("kind", "said", "code"),
    [
        ("closing", {}, "unknown_kind"),
        ("fee", {"domain": "nothing"}, "unknown_kind"),
        ("fee", {"attributes": {"colour": "red"}}, "unreadable"),
        ("fee", {"attributes": {"amount": "eighty"}}, "unreadable"),
        ("fee", {"attributes": {"amount": "80.005"}}, "unreadable"),
        ("correction_received", {"attributes": {"complete": "perhaps"}}, "unreadable"),
        ("acceptance", {"attributes": {"statutory_unit": "weeks"}}, "unreadable"),
        ("acceptance", {"attributes": {"statutory_due": "soon"}}, "unreadable"),
        ("acceptance", {"attributes": {"statutory_due_at": "2024-04-01"}}, "unreadable"),
    ],
)
def test_what_cannot_be_meant_is_said_to_whoever_fills_it_in(
    kind: str, said: dict[str, Any], code: str
) -> None:
    with pytest.raises(ZonghengError) as error:
        moved(kind, **said)
    assert error.value.code == code


def test_a_time_that_is_none_is_said() -> None:
    with pytest.raises(ZonghengError, match="at: not a time"):
        move_case("c", "fee", at="noon", agency="A", zone=ZONE, now_us=NOW)


async def test_a_form_sent_twice_is_one_event(desk: Any) -> None:
    first = opened(applicant_name="张三", attributes={"channel": "window"})
    again = open_case(
        "v1", at="2024-03-05 09:30", agency="A01", item="X", zone=ZONE, now_us=NOW + 5_000_000,
        applicant_name="张三", attributes={"channel": "window"}, case_id=first.event.case_id,
    )  # fmt: skip
    for one, accepted in ((first, 1), (again, 0)):
        answer = await desk.intake.submit(SubmitRequest(source=SOURCE, submissions=[one]))
        assert (answer.accepted, list(answer.rejected)) == (accepted, [])
    assert desk.writer.size == 1
