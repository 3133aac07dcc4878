"""Questions that go down the tree and answers that come up (DESIGN §6): what is asked, who is asked, and how
complete the answer is.
"""
