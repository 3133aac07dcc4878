"""What is sealed to an ancestor: a complaint about the town reaches the county unread by the town (DESIGN §4)."""
