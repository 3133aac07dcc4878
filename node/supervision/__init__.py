"""Supervision: events are folded into facts, facts and clocks into findings, findings into alerts.

Everything here is a pure function of its arguments, the instant among them, and does no IO: a finding can be computed
again at another node, at another time, and comes out the same. Deadlines rest on `calendar` (which days are worked) and
`clock` (how limits run over them); `explain` derives the same deadline a second way, day by day, for people to read.
"""
