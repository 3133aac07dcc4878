"""How events get into a node: readers of files, mappings, the door, the service in front of the journal.

What is wrong in the world passes and becomes a finding; only what cannot be read, attributed or believed about its own
time is turned away, and that is an entry too (DESIGN §3).
"""
