"""Rules and thresholds tried on history before they are published, in a process of their own with bounded time and memory."""
