"""Who may look through a camera."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from node.media.permission import Hours, Permission, View, Viewer, may_watch
from node.supervision.calendar import Calendar
from node.wallclock import micros

NODE = "330106001"
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = Hours(9 * 60, 17 * 60, SHANGHAI, Calendar.china())
OPEN_US = micros(datetime(2024, 3, 1, 10, 0, tzinfo=SHANGHAI))
EVENING_US = micros(datetime(2024, 3, 1, 17, 0, tzinfo=SHANGHAI))
HOLIDAY_US = micros(datetime(2024, 10, 1, 10, 0, tzinfo=SHANGHAI))

words = st.sampled_from(["supervisor", "leader", "officer", "clerk", "operator"])
tiers = st.sampled_from(["village", "town", "county", "city"])
agencies = st.sampled_from(["", "MZ", "ZR"])
instants = st.sampled_from([OPEN_US, EVENING_US, HOLIDAY_US])
views = st.sampled_from(list(View))

viewers = st.builds(
    Viewer,
    who=st.sampled_from(["1001", "1002"]),
    node=st.sampled_from([NODE, "330106", "3301"]),
    tier=tiers,
    roles=st.frozensets(words, max_size=2),
    agency=agencies,
)
permissions = st.builds(
    Permission,
    roles=st.frozensets(words, max_size=2),
    agencies=st.frozensets(agencies, max_size=2),
    tiers=st.frozensets(tiers, max_size=2),
    office_hours=st.booleans(),
    views=st.frozensets(views, max_size=2),
)


def asked(viewer: Viewer, given_: list[Permission], view: View = View.MAIN, at_us: int = OPEN_US) -> bool:
    return may_watch(viewer, NODE, given_, view, HOURS, at_us)


@given(viewers, st.lists(permissions, min_size=1, max_size=3), permissions, views, instants)
def test_another_permission_never_takes_away_what_the_others_give(
    viewer: Viewer, some: list[Permission], more: Permission, view: View, at_us: int
) -> None:
    assert asked(viewer, [*some, more], view, at_us) == (
        asked(viewer, some, view, at_us) or asked(viewer, [more], view, at_us)
    )


@given(viewers, permissions, views, instants)
def test_whoever_is_let_in_fits_every_part_of_a_permission(
    viewer: Viewer, permission: Permission, view: View, at_us: int
) -> None:
    let_in = asked(viewer, [permission], view, at_us)
    fits = [
        not permission.roles or permission.roles & viewer.roles,
        not permission.agencies or viewer.agency in permission.agencies,
        not permission.tiers or viewer.tier in permission.tiers,
        view in permission.views or (not permission.views and view in {View.MAIN, View.SUB, View.RECORDED}),
        not permission.office_hours or at_us == OPEN_US,
    ]
    assert let_in == all(fits)


def test_without_permissions_of_its_own_a_camera_shows_supervisors_all_and_officers_the_open_hall() -> None:
    supervisor = Viewer("1001", "3301", "city", frozenset({"supervisor"}))
    officer = Viewer("1002", NODE, "town", frozenset({"officer"}))
    clerk = Viewer("1003", NODE, "town", frozenset({"clerk"}))
    assert asked(supervisor, [], View.RECORDED, EVENING_US)
    assert asked(officer, [], View.MAIN, OPEN_US)
    assert not asked(officer, [], View.MAIN, EVENING_US)
    assert not asked(officer, [], View.MAIN, HOLIDAY_US)
    assert not asked(officer, [], View.RECORDED, OPEN_US)
    assert not asked(clerk, [], View.SUB, OPEN_US)
    assert asked(supervisor, [], View.STEER, EVENING_US)
    assert not asked(officer, [], View.STEER, OPEN_US)
    assert asked(supervisor, [], View.EXPORT, EVENING_US)
    assert not asked(officer, [], View.EXPORT, OPEN_US)


def test_the_owner_of_the_folder_is_not_refused_and_one_from_above_is_a_role_like_others() -> None:
    town_only = [Permission(roles=frozenset({"supervisor"}), tiers=frozenset({"town"}))]
    assert asked(Viewer("operator", NODE, "town"), town_only)
    assert not asked(Viewer("operator", "3301", "city"), town_only)
    assert asked(Viewer("operator", "3301", "city"), [Permission(roles=frozenset({"operator"}))])


def test_hours_are_those_of_the_cameras_node_on_its_working_days() -> None:
    assert HOURS.are_open(micros(datetime(2024, 3, 1, 1, 0, tzinfo=UTC)))
    assert not HOURS.are_open(micros(datetime(2024, 3, 1, 0, 59, tzinfo=UTC)))
    assert not Calendar.china().is_working(date(2024, 3, 2))
    # 2024-02-18 is a Sunday that is worked.
    assert HOURS.are_open(micros(datetime(2024, 2, 18, 10, 0, tzinfo=SHANGHAI)))
