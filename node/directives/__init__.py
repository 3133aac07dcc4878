"""Supervise and urge (督办, DOMAIN §2): what a node asks of one below it, and what becomes of it."""
