"""The files lane up (DESIGN §4): content addressed, resumable at any byte, behind the journal.

`transfer` is pure: events in, commands out, for both ends. `lane` is the child's IO, `servicer` the parent's, `ports` what both want from
the node they serve, `memory` that node kept in memory.
"""
