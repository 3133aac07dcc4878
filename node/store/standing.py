"""Where the own journal stands: its tree, its newest head and who signs it. One to a writer, and its writer alone moves it on."""

from collections.abc import Callable

from federation.journal.checkpoint import Checkpoint, Signer, sign
from federation.journal.tile import TileBuilder
from node.store.errors import StoreError
from node.store.growth import Growth
from node.store.rows import Head
from node.store.store import Store


class Standing:
    """The own journal as its writer knows it."""

    def __init__(
        self, store: Store, signer: Signer, log_id: str, node: str, clock: Callable[[], int]
    ) -> None:
        self.store, self.signer, self.clock = store, signer, clock
        self.log_id, self.node = log_id, node
        self.verifier = str(signer.verifier)
        """C2SP vkey of the journal key."""
        self.tree: TileBuilder | None = None
        """None while it is not known how the last write ended: then `take_up`."""
        self.note = ""
        self.signed_at_us = 0
        self.sealed = ""
        self.growth = Growth()
        self.addressed = Growth()

    def signed(self, tree: TileBuilder) -> Head:
        """A head of this tree, signed now."""
        root = tree.root()
        note = sign(Checkpoint(self.log_id, tree.size, root), self.signer) if tree.size else ""
        return Head(self.node, self.log_id, self.verifier, tree.size, root, note, self.clock(), 0, "")

    async def take_up(self) -> TileBuilder:
        """The tree as the store has it, after opening and after every write whose end is not known."""
        async with self.store.read() as session:
            head = await session.journal.own()
            if head is None:
                raise StoreError(f"the store has lost the head of {self.node}: restore it from a backup")
            tree = await session.journal.reader(self.node, head.size).builder()
        if tree.root() != head.root:
            raise StoreError(
                f"the {head.size} entries of {self.node} do not lead to the root of their head: restore from a backup"
            )
        self.tree, self.note, self.signed_at_us = tree, head.note, head.signed_at_us
        self.growth.rise(head.size)
        return tree
