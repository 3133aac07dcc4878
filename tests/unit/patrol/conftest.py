"""A node with people, and a line of three, for patrols."""

from tests.unit.directives.test_desk import line
from tests.unit.people.conftest import house
from tests.unit.projection.conftest import unit

__all__ = ["house", "line", "unit"]
