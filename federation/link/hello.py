"""What a child says of itself, taken at nothing but what it can show.

Raises ZonghengError `protocol` or `bad_signature`: a child that fails here is sent away before anything is
stored for it.
"""

from collections.abc import Collection, Sequence
from typing import Final

from zongheng.v1.link_pb2 import Hello
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import CATALOGUE, ZonghengError
from federation.journal.checkpoint import (
    CheckpointError,
    SignatureType,
    Verifier,
    cosignatures,
    open_note,
)
from federation.journal.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE
from federation.link.handshake import Shown

PROTOCOL: Final = 1
"""Version of the link's protocol."""

MAX_DESCENDANTS: Final = 20_000
"""Most nodes below one child."""


def check_hello(hello: Hello, parent: str) -> None:
    """Raise ZonghengError unless a child of `parent` may begin like this."""
    card = hello.card
    if hello.protocol != PROTOCOL:
        remedy = "upgrade this parent first" if hello.protocol > PROTOCOL else "upgrade the child"
        words = f"{parent} speaks protocol {PROTOCOL}, the child {hello.protocol}: {remedy}"
        raise ZonghengError("protocol", words)
    if not card.node or card.node == parent or not 8 <= len(hello.session) <= 64:
        raise ZonghengError("protocol", "Hello names a node of its own and a session")
    if card.parent and card.parent != parent:
        raise ZonghengError("not_enrolled", f"{card.node} belongs to {card.parent}, this is {parent}")


def shown_head(hello: Hello) -> Shown:
    """The head in Hello, signed by the card's key. Raises ZonghengError `bad_signature` or `protocol`."""
    card = hello.card
    if hello.size > MAX_SIZE or len(hello.root) != HASH_SIZE:
        raise ZonghengError("protocol", "Hello names a size and a root")
    if hello.size == 0:
        if hello.root != EMPTY_ROOT:
            raise ZonghengError("protocol", "a journal without entries has another root")
        return Shown(card.log_id, 0, hello.root)
    try:
        signed = open_note(card.checkpoint, [Verifier.parse(card.verifier)])
    except CheckpointError as error:
        raise ZonghengError("bad_signature", f"the head of {card.node}: {error}") from error
    if (signed.origin, signed.size, signed.root) != (card.log_id, hello.size, hello.root):
        raise ZonghengError(
            "bad_signature", f"the signed head of {card.node} is another one than Hello names"
        )
    return Shown(card.log_id, hello.size, hello.root)


def cosigner(vkey: str) -> Verifier:
    """What checks the cosignatures of a node with this journal key. Raises CheckpointError for a key that is none."""
    key = Verifier.parse(vkey)
    return Verifier(key.name, key.public_key, SignatureType.COSIGNATURE)


def shown_cosigned(hello: Hello, parent: NodeCard) -> Shown | None:
    """The head that the parent itself cosigned once, as the child shows it; None: it shows none that this proves.

    Signed by a key that the child has since given up it proves nothing, which is no fault of the child's.
    """
    if not hello.cosigned or not parent.verifier:
        return None
    try:
        signed = open_note(hello.cosigned, [Verifier.parse(hello.card.verifier)])
        seen = cosignatures(hello.cosigned, [cosigner(parent.verifier)])
    except CheckpointError:
        return None
    return (
        Shown(signed.origin, signed.size, signed.root)
        if seen and signed.origin == hello.card.log_id
        else None
    )


def nodes_below(child: str, cards: Sequence[NodeCard], parent: str, known: Collection[str] = ()) -> set[str]:
    """Names of the nodes below the child. Raises ZonghengError `protocol` unless each one's parents lead to
    it, or to one of ``known``, which did before.
    """
    if len(cards) > MAX_DESCENDANTS:
        raise ZonghengError("protocol", f"a child has at most {MAX_DESCENDANTS} nodes below it")
    parents = {card.node: card.parent for card in cards if card.node != child}
    good = {child, *known}
    for node in parents:
        path: list[str] = []
        above = node
        while above not in good:
            path.append(above)
            above = parents.get(above, "")
            if not above or above in path:
                raise ZonghengError("protocol", f"{node} is not below {child}")
        good.update(path)
    if len(good) > MAX_DESCENDANTS + 1:
        raise ZonghengError("protocol", f"a child has at most {MAX_DESCENDANTS} nodes below it")
    if parent in good:
        raise ZonghengError("protocol", f"{child} says that its own parent is below it")
    return good - {child}


def failure(code: str, words: str) -> ZonghengError:
    """What the other side says went wrong; a code from a later version than ours is `internal`."""
    return ZonghengError(code if code in CATALOGUE else "internal", words)
