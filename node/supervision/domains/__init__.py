"""The domains that a node supervises: one package each, switched on by a tier's profile.

A domain declares its event vocabulary, its facts, its rules and its words; it imports only ``clock``, ``fold`` and
``policy``. Nothing else in the engine knows a domain by name.
"""
