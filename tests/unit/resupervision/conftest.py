"""Opens nodes as the tests of the projection do, and a parent that looks after a child."""

from tests.unit.projection.conftest import unit as unit
