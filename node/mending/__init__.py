"""What a node does when journals disagree: seal, take back, keep apart, decide, enter again (docs/mending.md)."""
