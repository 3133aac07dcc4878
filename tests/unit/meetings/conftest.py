"""What tests of meetings share: an opened node with its HTTP application."""

from tests.unit.people.conftest import house

__all__ = ["house"]
