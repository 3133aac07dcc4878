"""Where Tortoise finds the classes that build queries for SQLite."""

from node.models.tables import tables

__models__ = tables("sqlite").models
