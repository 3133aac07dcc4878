"""Who uses this node: accounts, roles, how they come in, what they may do and what of it is written down."""
