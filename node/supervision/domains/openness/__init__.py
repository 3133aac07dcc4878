"""Openness of government and village (政务公开、村务公开): what must be published, and requests for information."""
