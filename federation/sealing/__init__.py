"""Sealing to a reader: what only the holder of one X25519 key can open, whoever carries it (DESIGN §4)."""
