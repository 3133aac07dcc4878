"""Whether a camera still sees."""

from hypothesis import given
from hypothesis import strategies as st

from node.media.health import DARK_LUMA, LASTS_US, Health, Seen, Verdict

S = 1_000_000

looks = st.lists(
    st.tuples(
        st.integers(min_value=1, max_value=60),
        st.sampled_from(["lost", "dark", "still", "moving"]),
    ),
    max_size=60,
)


def look(health: Health, at_us: int, how: str) -> Verdict | None:
    if how == "lost":
        return health.lost(at_us, "camera_lost")
    return health.looked(at_us, 16.0 if how == "dark" else 120.0, 0.0 if how == "still" else 1.0)


@given(looks)
def test_a_verdict_changes_only_to_another_and_never_before_it_has_lasted(
    steps: list[tuple[int, str]],
) -> None:
    health, at_us, before = Health(), 0, None
    for seconds, how in steps:
        at_us += seconds * S
        verdict = look(health, at_us, how)
        if verdict is not None:
            assert before is None or verdict.seen is not before.seen
            assert at_us - verdict.since_us >= LASTS_US[verdict.seen]
            before = verdict
        assert health.verdict == before


def test_a_camera_is_seeing_with_its_first_picture() -> None:
    health = Health()
    assert health.looked(S, 120, None) == Verdict(Seen.SEEING, S)
    assert health.looked(2 * S, 120, 0.5) is None


def test_a_camera_without_a_picture_is_lost_since_it_gave_none_and_says_why() -> None:
    health = Health()
    health.looked(0, 120, None)
    assert health.lost(10 * S, "camera_refused") is None
    assert health.lost(20 * S, "camera_refused") is None
    assert health.lost(25 * S, "camera_refused") == Verdict(Seen.LOST, 10 * S, "camera_refused")
    assert health.looked(30 * S, 120, 3) == Verdict(Seen.SEEING, 30 * S)


def test_a_stumble_is_nobodys_business() -> None:
    health = Health()
    health.looked(0, 120, None)
    for second in range(10, 600, 20):
        assert health.lost(second * S, "camera_lost") is None
        assert health.looked((second + 10) * S, 120, 1) is None


def test_a_covered_lens_is_dark_from_the_first_black_picture() -> None:
    health = Health()
    health.looked(0, 120, None)
    verdicts = [health.looked(second * S, DARK_LUMA, 0.0) for second in range(10, 101, 10)]
    assert [each for each in verdicts if each] == [Verdict(Seen.DARK, 10 * S)]


def test_the_same_picture_for_two_minutes_is_frozen_since_it_last_changed() -> None:
    health = Health()
    health.looked(0, 120, None)
    health.looked(30 * S, 120, 4.0)
    verdicts = [health.looked(second * S, 120, 0.0) for second in range(60, 301, 30)]
    assert [each for each in verdicts if each] == [Verdict(Seen.FROZEN, 30 * S)]
    again = [health.looked(second * S, 120, 2.0) for second in (330, 360)]
    assert [each for each in again if each] == [Verdict(Seen.SEEING, 330 * S)]
