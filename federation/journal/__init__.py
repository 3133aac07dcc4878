"""The append-only journal: a log whose every head commits to its whole history.

`merkle` holds the tree and its verification, `tile` the stored form of the tree, `checkpoint` the signed
heads, `evidence` the file that proves one entry offline. None of these four opens a file, a socket or a
database.
"""
