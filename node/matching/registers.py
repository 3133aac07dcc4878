"""Registers that payees are held against, such as the register of deaths: loaded from a file, kept as handles.

The numbers go to the vault, and leave handles in the journal; their tokens are computed like everybody's (`linking`), again with each new key.
A row is an entry that is entered once: a register that is loaded again, or after a crash, enters only what is new in it.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.matching_pb2 import RegisterLoaded

from federation.errors import ZonghengError
from node.matching.identifiers import normal
from node.matching.tokens import REGISTERS
from node.store.vault import Person

if TYPE_CHECKING:
    from node.run import Node

SOURCE: Final = "register"

AT_ONCE: Final = 500


async def load(node: "Node", register: str, rows: Sequence[tuple[str, int]], by: str) -> tuple[int, int]:
    """Load (number, day) rows; returns how many are new, and how many name nobody. ``bad_request`` for a register that is none."""
    if register not in REGISTERS:
        raise ZonghengError("bad_request", f"{register!r} is no register: {', '.join(REGISTERS)}")
    if not by.strip():
        raise ZonghengError("bad_request", "say who loads it (by): a staff number")
    _, role = REGISTERS[register]
    named = sorted({(number, day) for written, day in rows if (number := normal(role, written))})
    nobody = sum(not normal(role, written) for written, _ in rows)
    new = 0
    for run in _runs(named):
        async with node.store.write() as session:
            handles = await node.vault.handles(session.vault, [Person("", number) for number, _ in run])
        size = node.writer.size
        written = await node.write_entries(
            [
                Entry(
                    source=SOURCE,
                    serial=f"{register}/{handle}/{day}",
                    register_loaded=RegisterLoaded(register=register, handle=handle, day=day, by=by),
                )
                for handle, (_, day) in zip(handles, run, strict=True)
            ]
        )
        new += sum(index >= size for index in written)
    return new, nobody


def _runs(rows: Sequence[tuple[str, int]]) -> Iterable[Sequence[tuple[str, int]]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
