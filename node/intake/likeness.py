"""Whether two texts are one, with some words changed: the same answer to another person, of another day, about another number. Pure.

A text is reduced to its letters (digits, dates, spaces and signs fall away: those are what a copy changes first) and cut into runs of three. Two
texts are alike when they share four fifths of all runs that either has (Jaccard). To find what may be alike without comparing all with all, each
text has ten *bands* (MinHash, four of forty least hashes each): texts that are alike share one with probability 0.99 at the threshold
and more above it, texts that are not are told apart by the comparison itself.

The hashes are keyed, so that bands in a database say nothing about a text to who has not the key.
"""

import unicodedata
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

ALIKE: Final = 0.8
"""The share of runs from which two texts are one."""

RUN: Final = 3
"""Letters in a run: two characters of Chinese are a word, three say how it is used."""

SHORT: Final = 20
"""Letters below which a text is compared as a whole: of so short a text a word more is another one."""

LONGEST: Final = 20_000
"""Letters of a text that are looked at."""

BANDS: Final = 10
ROWS: Final = 4

_PRIME: Final = (1 << 61) - 1


def letters(text: str) -> str:
    """What of a text is compared."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(sign for sign in plain if sign.isalpha())[:LONGEST]


def runs(plain: str) -> frozenset[str]:
    """The runs of a text's letters; of a short text the whole is the only one."""
    if len(plain) < SHORT:
        return frozenset((plain,))
    return frozenset(plain[at : at + RUN] for at in range(len(plain) - RUN + 1))


def likeness(one: str, other: str) -> float:
    """The share of runs that two texts' letters have in common, 0 to 1."""
    of_one, of_other = runs(one), runs(other)
    return len(of_one & of_other) / len(of_one | of_other)


def bands(plain: str, key: bytes) -> list[str]:
    """The bands of a text's letters, each with its number in front."""
    hashed = [
        int.from_bytes(blake2b(run.encode(), key=key, digest_size=7).digest(), "big") for run in runs(plain)
    ]
    least = [min((factor * one + summand) % _PRIME for one in hashed) for factor, summand in _MIXES]
    return [f"{band}:{_digest(least[band * ROWS : (band + 1) * ROWS])}" for band in range(BANDS)]


def _mixed() -> Iterable[tuple[int, int]]:
    """Factors and summands of as many hash functions as there are rows, the same on every machine."""
    for number in range(BANDS * ROWS):
        drawn = blake2b(f"zongheng likeness {number}".encode(), digest_size=16).digest()
        yield int.from_bytes(drawn[:8], "big") % (_PRIME - 1) + 1, int.from_bytes(drawn[8:], "big") % _PRIME


_MIXES: Final = tuple(_mixed())


def _digest(values: Iterable[int]) -> str:
    return blake2b(",".join(map(str, values)).encode(), digest_size=8).hexdigest()
