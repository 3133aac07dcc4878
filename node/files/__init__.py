"""Files of a node: what lies on its disk, what passes on its way up, what was sealed to it (DESIGN §4, docs/files.md)."""
