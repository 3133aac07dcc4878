"""Who is who between nodes, and the one place where connections get their security."""
