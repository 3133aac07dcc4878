"""What passes between nodes: the journal, identities, the link, rollups, queries and the video trunk.

Nothing here knows about approvals, an ORM or the web. Dependencies run one way, node → federation → tiers, so a parent
and a child run exactly the same code over what they exchange.
"""
