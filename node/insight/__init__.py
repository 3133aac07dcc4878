"""Decision support: what the figures say about where to look. Pure; nothing here accuses anybody, and no alert rests on it."""
