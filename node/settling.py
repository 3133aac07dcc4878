"""What a process does once it has loaded everything and is about to serve."""

import gc
from typing import Final

SERVING: Final = (20_000, 20, 50)
"""Intake makes thousands of short-lived objects a batch, and looking through all that is loaded at every 700 of them took a sixth of its time."""

STREAMING: Final = (2_000, 10, 10)
"""A collection of the oldest generation holds every stream up; but who comes to watch and goes leaves objects that refer to each other, which nothing else frees."""


def settle_memory(thresholds: tuple[int, int, int]) -> None:
    """What is loaded now stays and is not looked through again; what comes is, as often as ``thresholds`` says (`gc.set_threshold`)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
