"""Video of one node: cameras, what they say of themselves, what is kept and who may look."""
