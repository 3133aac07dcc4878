"""What the files lane wants from the node it serves. As in `federation.link.ports`: what is said to be durable survives a crash, and a
cancelled call did all or nothing.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Offer:
    """A file by its name: the entry of `origin` that speaks of it says everything else."""

    origin: str
    sha256: str
    """Of the bytes as they travel; lower-case hex."""
    size: int


class FileSource(Protocol):
    """The child's files that are to go up."""

    async def next(self) -> Offer:
        """The file to send now, as soon as there is one; the same again until `stored` or `refused` settles it."""
        ...

    async def read(self, sha256: str, offset: int, count: int) -> bytes:
        """Bytes of a file. Raises ZonghengError `not_found` when it is gone."""
        ...

    async def stored(self, offer: Offer) -> None:
        """The parent has it, verified and durable."""
        ...

    async def refused(self, offer: Offer, code: str, words: str, retry_after_ms: int) -> None:
        """The parent does not take it now; when and whether to try again is the source's."""
        ...

    async def wanted(self, origin: str, sha256: str) -> None:
        """The parent asks for a file again that it had and shed. Unknown ones are ignored."""
        ...


class FileSink(Protocol):
    """Where a parent keeps the files of its children."""

    async def offered(self, child: str, offer: Offer) -> int | None:
        """How many bytes of it are there; None: the whole file, verified.

        Raises ZonghengError: `not_found` when no entry that is here names the file (the journal goes first: it may come), `disk_full` when
        the budget has no room, `bad_request` when the size differs from the entry's.
        """
        ...

    async def write(self, child: str, offer: Offer, content: bytes) -> int:
        """Append to what is there; returns how much is. Raises ZonghengError `disk_full`: nothing half-written counts."""
        ...

    async def verify(self, child: str, offer: Offer) -> bool:
        """Whether what is there is the file; where it is, it is kept durably under its name."""
        ...

    async def forget(self, child: str, offer: Offer) -> None:
        """Delete what is there of an unfinished file."""
        ...

    async def again(self, child: str, known: int) -> tuple[int, list[Offer]]:
        """Files that were shed here and are wanted again, of those that came through the child; returns as soon as there are some that
        were asked for after `known`, with the number to ask with next.
        """
        ...

    async def backup(self, child: str, sha256: str) -> Offer:
        """The child's newest backup, or the one named. Raises ZonghengError `not_found`."""
        ...

    async def read(self, sha256: str, offset: int, count: int) -> bytes:
        """Bytes of a file that is kept. Raises ZonghengError `not_found`."""
        ...
