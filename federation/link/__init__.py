"""The link between a child and its parent (DESIGN §4): the child dials, the parent asks.

`handshake`, `relay` and `backoff` are pure: values and events in, decisions and commands out. `dialler` is
the child's IO, `listener` the parent's, `ports` what both want from the node they serve, `memory` that node
kept in memory.
"""
