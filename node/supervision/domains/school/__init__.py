"""School fees (教育收费): what schools charge, on which standard, and what becomes of it."""
