"""What people edit: agencies, officers, sources of events, drafts of the catalogue.

None of it is evidence. What supervision rests on is entered in the journal when it is published; the registry keeps what the
journal must not hold (an officer's name) or does not hold yet (a draft).
"""
