"""State secrets stay out (保守国家秘密法 §31: what is classified is not kept or handled in systems that are not made for it).

Nothing here classifies anything. What a source marks as classified is turned away with nothing of it kept, not even a digest; and so is a text
that carries a document's marking (国家秘密标志: 密级, then ★ and the period; 保守国家秘密法实施条例 §13), or is nothing but the name of a level.
"""

import re
from typing import Final

_LEVELS: Final = ("绝密", "机密", "秘密", "涉密")

_MARKING: Final = re.compile(
    r"(?:绝密|机密|秘密)\s*[★☆]"
    r"|[【\[（(〔]\s*(?:绝密|机密|秘密|涉密)\s*[】\]）)〕]"
    r"|\A\s*(?:绝密|机密|秘密|涉密)(?:级|件|文件|事项)?\s*\Z"
)

_BYTES: Final = tuple(level.encode() for level in _LEVELS)


def is_marked(text: str) -> bool:
    """Whether a text carries a marking of classification."""
    return _MARKING.search(text) is not None


def may_be_marked(encoded: bytes) -> bool:
    """Whether something encoded in UTF-8 names a level at all: cheap, and true for every marked text in it."""
    return any(level in encoded for level in _BYTES)
