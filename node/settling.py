"""What a process does once it has loaded everything and is about to serve."""

import gc


def settle_memory() -> None:
    """What is loaded now stays: it is not looked through again, and collections are made rarer.

    Intake makes thousands of short-lived objects a batch, and looking through all that is loaded at every 700 of them took a sixth of its time; in a media worker a
    collection of the oldest generation held every stream up for some hundredths of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
