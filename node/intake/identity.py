"""What makes two reports the same report, where the source gives them no serial of its own.

Same case, kind, step, time, officer, sums of money and numbers within the case: the same event. What else is said of it
(a due date, a result) does not count, so that an export in which that has changed since is refused as a duplicate with
other content, and seen, and not taken for a second event.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from node.intake.vocabulary import Sense


def counts_for_identity(senses: Mapping[str, Sense]) -> frozenset[str]:
    """The attributes of a kind that tell two of its events apart: sums, and serials within the case, but no limits."""
    return frozenset(
        name
        for name, sense in senses.items()
        if sense is Sense.MONEY or (sense is Sense.COUNT and not name.endswith("_days"))
    )


def derived_serial(
    case_id: str, kind: str, step: str, at_us: int, day_only: bool, actor: str, sums: Iterable[int] = ()
) -> str:
    """A serial of 24 hexadecimal digits; the same whenever and wherever it is computed."""
    text = f"{case_id}\x1f{kind}\x1f{step}\x1f{at_us}{'d' if day_only else ''}\x1f{actor}"
    for amount in sums:
        text += f"\x1f{amount}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
