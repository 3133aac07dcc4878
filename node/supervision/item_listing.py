"""What is wrong with an item of any domain as it is listed, held against what the node itself has published: laws, fee standards, posts.

A library that nobody published accuses nobody. A basis is known when it names a law that the library ``laws`` has in force that day; how a citation is
written (行政许可法 §42, 《不动产登记暂行条例》第二十条) makes no difference. The rules of approval about listing are beside (`domains.approval.listing`).
"""

from collections.abc import Mapping
from typing import Final

import polars as pl
from zongheng.v1.catalogue_pb2 import Item
from zongheng.v1.items_pb2 import Post

from node.supervision.library import FEE_STANDARDS, Libraries

LAWS: Final = "laws"

LAW: Final = "item.law"
FEE: Final = "item.fee"
POST: Final = "item.post"

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    LAW: ("依据不在法规库内或已失效", "A basis that the library of laws does not have in force"),
    FEE: ("收费标准不在标准库内", "A fee standard that the library does not have in force"),
    POST: ("责任岗位不存在或不属于本部门", "A responsible post that nobody published, or of another agency"),
}
"""Fault → Chinese, English."""


def faults(item: Item, libraries: Libraries, posts: Mapping[str, Post], day: int) -> tuple[str, ...]:
    """What of `WORDS` this version of an item has on a day (since 1970-01-01)."""
    found = []
    if (laws := _in_force(libraries.get(LAWS), day)) is not None:
        names = laws["code"].to_list()
        if any(not any(name in basis for name in names) for basis in _bases(item)):
            found.append(LAW)
    if item.fee_standard and (fees := _in_force(libraries.get(FEE_STANDARDS), day)) is not None:
        known = set(zip(fees["code"], fees["grade"], strict=True))
        if (item.fee_standard, item.fee_grade) not in known:
            found.append(FEE)
    named = {step.post for step in item.steps} | {risk.post for step in item.steps for risk in step.risks}
    if any(code not in posts or posts[code].agency != item.agency for code in named - {""}):
        found.append(POST)
    return tuple(found)


def _bases(item: Item) -> set[str]:
    limits = (item.statutory, item.promised, *(step.limit for step in item.steps))
    cited = {item.legal_basis, item.fee_basis, *(limit.legal_basis for limit in limits)}
    return cited - {""}


def _in_force(table: pl.DataFrame | None, day: int) -> pl.DataFrame | None:
    """The rows of a library that hold on a day; None: it is not published, or has no rows."""
    if table is None or table.is_empty():
        return None
    return table.filter(pl.lit(day).is_between(pl.col("valid_from"), pl.col("valid_to")))
