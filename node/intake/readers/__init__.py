"""Readers of logs: each streams the records of one file format with their row numbers.

No reader loads a file whole, follows a reference out of it, or trusts a length that it states. What is wrong with one
row comes out as :class:`~node.intake.readers.record.Unreadable` and reading goes on; what is wrong with the file (a
truncated gzip, the wrong encoding, not the format) raises :class:`~node.intake.readers.record.UnreadableFile`.
"""
