"""From the journal to rows: events, facts, rollups, each by cursor and each droppable (docs/inside.md)."""
