"""Matching across nodes by linkage token: one payee in two towns, one hand behind several bidders, without anybody's number leaving its node."""
