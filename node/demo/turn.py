"""In which respect a case differs from the usual one: the turns that a course can take, clean or faulty."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Break:
    """A special procedure (特别程序) that a case goes through: working days it lasts and was granted."""

    lasts: int
    granted: int
    basis: bool = True
    approver: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """In which respect a case differs from the usual one. Days are working days."""

    online: bool = False
    pre_acceptance_after: int = 0
    corrections: int = 0
    told_after: int = 0
    """Days from the application to the (first) notice of what is missing."""
    refused: bool = False
    reason: bool = True
    use: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Days that each step of a stage takes, by stage; a stage left out is done in the usual time."""
    order: tuple[int, ...] = ()
    """The order in which the steps of the deciding stage are done; a step left out is skipped."""
    actors: Mapping[int, str] = field(default_factory=dict)
    """Who does a step of the deciding stage, where it is not just anybody who may."""
    pause: Break | None = None
    charged: int | None = None
    """分 charged where it is not the standard fee."""
    completed_first: bool = False
    """The completion is dated before the acceptance."""
    collected_after: int | None = None
    entered_after: int = 0
    """Days after which the first step of the deciding stage was entered."""
    returned: bool = False
    """The first desk above sends it back once, and gets it again."""
    running: int | None = None
    """Days since its acceptance by the demo's now, with the case still open; None: it lies anywhere in the period."""
    share: int | None = None
    """Days that another agency took for its share of a joint handling; None: nobody was asked."""
    urged: int = 0
    """How often the desk was urged before its first step."""
    urge_after: int = 0
    """Days after which it answered each time."""
    extended: int = 0
    """Days that the limits were extended by (行政许可法 §42)."""
    item: str = ""
    """Code of the item in its events where it is not the catalogue's."""
