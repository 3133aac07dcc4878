"""The tiers of administration: their ranks, their division codes, and what a node at each tier is set up with.

Knows nothing of links, journals or nodes, and does no work: everything here is a value that other parts read.
"""
