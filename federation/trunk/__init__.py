"""The trunk: live pictures and sound between nodes, one copy per hop however many watch.

What travels is opaque from the camera's node to the last viewer: nothing in here decodes, and nothing in here knows what a camera is.
"""
