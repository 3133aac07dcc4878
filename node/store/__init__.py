"""Where a node keeps what it knows: one engine seam, one repository a file, one SQL text for every engine (DESIGN §8)."""
