"""Times as sources write them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.intake.times import EPOCH, NotATime, day_number, micros, reader, zone_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [
    "Asia/Shanghai",
    "Europe/Amsterdam",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
]


def instant(text: str) -> int:
    return micros(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-05T09:30:00+08:00",
        "2024-03-05T01:30:00Z",
        "2024-03-05 09:30:00",
        "2024-03-05 09:30",
        "2024-03-05 09:30:00+0800",
        "2024/3/5 9:30",
        "2024.3.5 09:30:00",
        "2024年3月5日 9时30分",
        "2024年3月5日9时30分0秒",
        "20240305093000",
        "202403050930",
        "20240305T093000",
    ],
)
def test_the_usual_ways_to_write_an_instant(text: str) -> None:
    assert reader((), SHANGHAI)(text) == (instant("2024-03-05T09:30:00+08:00"), False)


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-05",
        "20240305",
        "2024/3/5",
        "2024.03.05",
        "2024年3月5日",
        20240305,
        20240305.0,
        date(2024, 3, 5),
    ],
)
def test_a_value_without_a_time_of_day_is_a_day(value: object) -> None:
    assert reader((), SHANGHAI)(value) == (instant("2024-03-05T00:00:00+08:00"), True)


@pytest.mark.parametrize(
    "value", ["05/03/2024", "5.3.24", "2024-13-01", "2024-02-30", "tomorrow", "", "24", True, 1709602200, [], "٢٠٢٤-٠٣-٠٥", "0001-01-01", "9999-12-31", "2200-01-01", "1899-12-31"]
)  # fmt: skip
def test_what_is_no_time_or_could_be_two_is_refused(value: object) -> None:
    with pytest.raises(NotATime):
        reader((), SHANGHAI)(value)


def test_a_naive_time_needs_a_zone() -> None:
    read = reader((), None)
    assert read("2024-03-05T09:30:00+08:00")[0] == instant("2024-03-05T09:30:00+08:00")
    for value in ("2024-03-05 09:30:00", "2024-03-05", "2024/3/5 9:30", datetime(2024, 3, 5, 9)):
        with pytest.raises(NotATime, match="without a zone"):
            read(value)


def test_an_ambiguous_local_time_is_the_earlier_one() -> None:
    amsterdam = zone_of("Europe/Amsterdam")
    for read in (reader((), amsterdam), reader(("%Y-%m-%d %H:%M:%S",), amsterdam)):
        assert read("2011-10-30 02:30:00") == (instant("2011-10-30T02:30:00+02:00"), False)
        assert read("2011-10-30 03:30:00") == (instant("2011-10-30T03:30:00+01:00"), False)
        assert read("2011-10-30 01:30:00") == (instant("2011-10-30T01:30:00+02:00"), False)


def test_a_local_time_that_was_skipped_is_read_with_the_offset_before() -> None:
    read = reader((), zone_of("Europe/Amsterdam"))
    assert read("2011-03-27 02:30:00") == (instant("2011-03-27T02:30:00+01:00"), False)
    assert read("2011-03-27 03:30:00") == (instant("2011-03-27T03:30:00+02:00"), False)


@pytest.mark.parametrize(
    ("format_", "value", "expected"),
    [
        ("%d.%m.%Y %H:%M", "05.03.2024 09:30", ("2024-03-05T09:30:00+08:00", False)),
        ("%d.%m.%Y", "05.03.2024", ("2024-03-05T00:00:00+08:00", True)),
        ("epoch_s", "1709602200", ("2024-03-05T09:30:00+08:00", False)),
        ("epoch_ms", 1709602200123, ("2024-03-05T09:30:00.123+08:00", False)),
        ("epoch_us", "1709602200123456", ("2024-03-05T09:30:00.123456+08:00", False)),
        ("excel", 45356.5, ("2024-03-05T12:00:00+08:00", False)),
        ("iso", "2024-03-05", ("2024-03-05T00:00:00+08:00", True)),
    ],
)
def test_stated_formats(format_: str, value: object, expected: tuple[str, bool]) -> None:
    assert reader((format_,), SHANGHAI)(value) == (instant(expected[0]), expected[1])


def test_formats_are_tried_in_order() -> None:
    read = reader(("%d/%m/%Y %H:%M", "%d/%m/%Y"), SHANGHAI)
    assert read("05/03/2024 10:00") == (instant("2024-03-05T10:00:00+08:00"), False)
    assert read("05/03/2024") == (instant("2024-03-05T00:00:00+08:00"), True)
    with pytest.raises(NotATime):
        read("2024-03-05")


@pytest.mark.parametrize("value", ["nan", "inf", "-1e400", "x", None])
def test_numbers_that_are_no_numbers_are_refused(value: object) -> None:
    for format_ in ("epoch_s", "epoch_ms", "excel"):
        with pytest.raises(NotATime):
            reader((format_,), SHANGHAI)(value)


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30)),
    st.sampled_from(ZONES),
    st.sampled_from(["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M"]),
)
def test_a_local_time_is_what_the_zone_says_however_it_is_written(
    at: datetime, zone: str, written: str
) -> None:
    text = at.strftime(written)
    meant = datetime.strptime(text, written).replace(tzinfo=ZoneInfo(zone))
    assert reader((), zone_of(zone))(text) == (micros(meant), False)


@given(st.dates(date(1900, 1, 2), date(2199, 12, 30)), st.sampled_from(ZONES))
def test_a_day_comes_back_as_the_same_day(day: date, zone: str) -> None:
    at_us, day_only = reader((), zone_of(zone))(day.isoformat())
    assert day_only
    assert day_number(at_us, zone_of(zone)) == (day - date(1970, 1, 1)).days


@given(st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)))
def test_micros_lose_nothing(at: datetime) -> None:
    assert EPOCH + timedelta(microseconds=micros(at)) == at


@given(st.text(max_size=40))
def test_no_text_does_anything_but_be_read_or_refused(text: str) -> None:
    try:
        at_us, _ = reader((), SHANGHAI)(text)
    except NotATime:
        return
    assert 1899 <= (EPOCH + timedelta(microseconds=at_us)).year <= 2199


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ValueError, match="no time zone 'Mars/Olympus'"):
        zone_of("Mars/Olympus")
