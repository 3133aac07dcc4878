"""A node's backup: what cannot be rebuilt from its journal, sealed to a key that is on paper (DESIGN §4, docs/backup.md)."""
