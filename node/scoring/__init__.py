"""Scorecards (绩效测评, DOMAIN §3): base figure → indicator → item → sheet, for an agency, a window, an officer or a node.

What is computed here depends on a journal up to a size and on nothing else, so whoever holds the journal comes to the same.
"""
