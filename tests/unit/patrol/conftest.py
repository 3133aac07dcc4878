"""A node with people, for patrols."""

from tests.unit.people.conftest import house

__all__ = ["house"]
