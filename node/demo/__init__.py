"""A federation to look at: made-up places, believable cases, and faults whose number is known beforehand.

`places` is the tree, `items` its catalogue, `course` how one case goes through the desks, `faults` what can be planted in it,
`generator` all of it in the right volumes. `federation` starts the nodes as real processes and feeds them through
the real intake; `report` compares what was planted with what was found; `tour` says what to try next. Nothing here is
used outside the demo.
"""
