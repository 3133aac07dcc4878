"""Opens nodes for these tests, each on a SQLite store of its own."""

from tests.unit.projection.conftest import unit

__all__ = ["unit"]
