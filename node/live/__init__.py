"""Questions that go hop by hop to one node, now, and bring one answer back."""
