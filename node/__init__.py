"""The software of one node: its store, its supervision of its own tier, its re-supervision of the tiers below, its pages.

A node is an object without globals: one process may host one node or a hundred. Dependencies run one way, node →
federation → tiers; `supervision` computes and does no IO, so the same code serves one new event and ten million old ones.
"""
