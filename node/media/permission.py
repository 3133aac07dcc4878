"""Who may look through a camera: by role, agency, the tier where they sit, and the hour.

Pure. The camera's own node decides, whoever asks and from however far: it has the camera's permissions, and its journal says who looked. A viewer fits
a permission when they fit all of it; one that fits is enough. Where a camera has none of its own, `USUAL` holds. The owner of the camera's folder
has its keys and password anyway; he is not refused, and what he looks at is entered as everybody's is.

Hours are those of the camera's node: minutes after midnight in its zone, on working days of its calendar.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from zongheng.v1.camera_pb2 import CameraPermission
from zongheng.v1.camera_pb2 import Viewer as CameraViewer

from node.people.caller import OPERATOR_NAME
from node.wallclock import instant


class View(StrEnum):
    """In which way somebody looks."""

    MAIN = "main"
    SUB = "sub"
    RECORDED = "recorded"
    STEER = "steer"
    """Turn the camera."""
    EXPORT = "export"
    """Have clips of what was recorded, as files."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person at the node where they sit."""

    who: str
    """Staff number, or `operator`: the owner of that node's folder."""
    node: str
    tier: str
    roles: frozenset[str] = frozenset()
    """`operator` is the owner's only role."""
    agency: str = ""
    purpose: str = ""

    @property
    def all_roles(self) -> frozenset[str]:
        return self.roles | {OPERATOR_NAME} if self.who == OPERATOR_NAME else self.roles


def viewer(told: CameraViewer) -> Viewer:
    """A person as other nodes are told."""
    return Viewer(told.who, told.node, told.tier, frozenset(told.roles), told.agency, told.purpose)


@dataclass(frozen=True, slots=True)
class Permission:
    """Whoever fits all of it may watch; what is empty fits everybody, but what is no way of looking has to be named."""

    roles: frozenset[str] = frozenset()
    agencies: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    office_hours: bool = False
    views: frozenset[View] = frozenset()


USUAL: Final = (
    Permission(roles=frozenset({"supervisor", "embedded_supervisor", "leader", OPERATOR_NAME})),
    Permission(roles=frozenset({"officer"}), office_hours=True, views=frozenset({View.MAIN, View.SUB})),
    Permission(
        roles=frozenset({"supervisor", "embedded_supervisor", "leader", OPERATOR_NAME}),
        views=frozenset({View.STEER, View.EXPORT}),
    ),
)
"""Supervisors and leaders of the node and of every tier above always, recordings and clips of them included; officers live, in office hours. The former may
turn it as well; an officer could turn it away from their own window.
"""

NAMED: Final = frozenset({View.STEER, View.EXPORT})
"""No ways of looking: never meant where they are not named."""


_VIEWS: Final = frozenset(View)


class WorkingDays(Protocol):
    """What `node.supervision.calendar.Calendar` is here."""

    def is_working(self, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Hours:
    """When a camera's hall is open."""

    opens_min: int
    closes_min: int
    zone: ZoneInfo
    days: WorkingDays

    def are_open(self, at_us: int) -> bool:
        """Whether the hall is open at an instant (µs since the epoch)."""
        local = instant(at_us).astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return self.opens_min <= minute < self.closes_min and self.days.is_working(local.date())


def may_watch(
    viewer: Viewer, node: str, permissions: Sequence[Permission], view: View, hours: Hours, at_us: int
) -> bool:
    """Whether somebody may watch, steer or have clips of a camera of ``node`` now (``at_us``: µs since the epoch)."""
    if viewer.who == OPERATOR_NAME and viewer.node == node:
        return True
    open_now = hours.are_open(at_us)
    return any(_fits(viewer, permission, view, open_now) for permission in permissions or USUAL)


def may_see_picture(viewer: Viewer, node: str, permissions: Sequence[Permission], in_hours: bool) -> bool:
    """Whether somebody may see a small picture that a camera of ``node`` gave; ``in_hours``: it was taken in its office hours.

    Asked at any node that has the picture: what may be watched live at the hour at which it was taken may be seen.
    """
    if viewer.who == OPERATOR_NAME and viewer.node == node:
        return True
    return any(
        _fits(viewer, permission, view, in_hours)
        for permission in permissions or USUAL
        for view in (View.MAIN, View.SUB)
    )


def told(permissions: Iterable[CameraPermission]) -> list[Permission]:
    """Permissions as a card says them. One whose views are all of a later version lets nobody in."""
    return [
        Permission(
            frozenset(one.roles)
            if _VIEWS.intersection(one.views) or not one.views
            else frozenset({"nobody"}),
            frozenset(one.agencies),
            frozenset(one.tiers),
            one.office_hours,
            frozenset(View(view) for view in one.views if view in _VIEWS),
        )
        for one in permissions
    ]


def _fits(viewer: Viewer, permission: Permission, view: View, open_now: bool) -> bool:
    return (
        (not permission.roles or bool(permission.roles & viewer.all_roles))
        and (not permission.agencies or viewer.agency in permission.agencies)
        and (not permission.tiers or viewer.tier in permission.tiers)
        and (view in permission.views or (not permission.views and view not in NAMED))
        and (not permission.office_hours or open_now)
    )
