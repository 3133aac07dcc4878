"""The databases a node can live in: a SQLite file, a PostgreSQL server, or nothing that outlives the process."""
