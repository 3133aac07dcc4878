"""Cameras that turn (云台): who steers which, one at a time, through the tiers."""
