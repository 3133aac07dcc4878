"""Opens nodes as the tests of the projection do."""

from tests.unit.projection.conftest import unit as unit
