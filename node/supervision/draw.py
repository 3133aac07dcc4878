"""The random draw of evaluation experts (评标专家随机抽取), so that anybody can repeat it offline.

    request (pool, avoidance, how many) ──▶ an entry ──▶ the head that ends with it ──▶ the parent's cosignature under it = the seed
                                                                                ──▶ the draw, an entry with its proof

The request is entered first. The head whose last entry it is (RFC 9162 root over everything the journal ever held) stands for it. At a node with a
parent the seed is what the parent signs under that head (C2SP cosignature/v1), as an entry of the parent's own journal, once for each request: the
node cannot know it while the request is its own, and cannot ask for another. Another request is another entry, with the next number, for all
to see. A node without a parent takes the head itself. Each expert who may be drawn gets the rank

    SHA-256(SHA-256("zongheng draw v2\\n" ‖ checkpoint body ‖ "\\n" ‖ cosignature) ‖ "\\n" ‖ expert)

(without a parent "zongheng draw v1\\n" ‖ checkpoint body)
and those with the lowest ranks are drawn, in that order. Avoided (招标投标法 §37, 评标委员会和评标方法暂行规定 §12) is who is named with a reason, and
who works for a party to the project; where it is asked for, no two have one employer.

What does not hold: a node without a parent that computes its own journal's next root before it enters a request can try requests in secret and enter
the one it likes; and a parent that helps its child can choose the second of its signature. Neither can choose afterwards, or hide that it was
asked twice.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import ClassVar, Final

from google.protobuf.message import DecodeError
from zongheng.v1.engine_pb2 import DrawRequest, ExpertsDrawn, ProvenLeaf
from zongheng.v1.entry_pb2 import Entry

from federation.journal.checkpoint import (
    Checkpoint,
    CheckpointError,
    SignatureType,
    Verifier,
    cosigned,
)
from federation.journal.evidence import Evidence, EvidenceError

DOMAIN_SEPARATOR: Final = b"zongheng draw v1\n"
COSIGNED_SEPARATOR: Final = b"zongheng draw v2\n"

MOST_EXPERTS: Final = 10_000


class BadDraw(ValueError):
    """A draw that cannot be made, or that does not come out as it says."""

    code: ClassVar[str] = "bad_request"


def eligible(request: DrawRequest) -> list[tuple[str, str]]:
    """(expert, employer) of everybody who may be drawn, each once, in the order of their codes."""
    avoided = {one.expert for one in request.avoided}
    parties = set(request.parties)
    pool = {one.expert: one.employer for one in request.pool}
    return sorted(
        (expert, employer)
        for expert, employer in pool.items()
        if expert not in avoided and employer not in parties
    )


def draw(request: DrawRequest, checkpoint: Checkpoint, cosignature: bytes = b"") -> list[str]:
    """The experts that this head draws, with the parent's cosignature where there is a parent. Raises `BadDraw` where too few may be drawn."""
    body = checkpoint.body().encode()
    seed = sha256(
        COSIGNED_SEPARATOR + body + b"\n" + cosignature if cosignature else DOMAIN_SEPARATOR + body
    ).digest()
    ranked = sorted(
        (sha256(seed + b"\n" + expert.encode()).digest(), expert, employer)
        for expert, employer in eligible(request)
    )
    drawn: list[str] = []
    employers: set[str] = set()
    for _, expert, employer in ranked:
        if len(drawn) == request.wanted:
            break
        if request.one_per_employer and employer and employer in employers:
            continue
        employers.add(employer)
        drawn.append(expert)
    if len(drawn) < request.wanted:
        raise BadDraw(
            f"{request.wanted} experts are wanted and {len(drawn)} may be drawn: widen the pool, or ask for fewer"
        )
    return drawn


def check(request: DrawRequest) -> None:
    """Raise `BadDraw` for a request that makes no draw."""
    codes = [one.expert for one in request.pool]
    twice = sorted({code for code in codes if codes.count(code) > 1}) if len(codes) <= MOST_EXPERTS else []
    if not request.case_id:
        raise BadDraw("say for which project the experts are drawn")
    if not codes or len(codes) > MOST_EXPERTS or "" in codes:
        raise BadDraw(f"a pool has 1 to {MOST_EXPERTS} experts, each with a code")
    if twice:
        raise BadDraw(f"the pool has {', '.join(twice[:5])} twice")
    strange = sorted({one.expert for one in request.avoided} - set(codes))
    if strange:
        raise BadDraw(f"{', '.join(strange[:5])} is avoided and not in the pool")
    if any(not one.reason.strip() for one in request.avoided):
        raise BadDraw("say for everybody who is avoided why")
    if request.wanted < 1:
        raise BadDraw("at least one expert is drawn")
    draw(request, Checkpoint("x/0", 1, bytes(32)))


def seeded(seed: ProvenLeaf, index: int, checkpoint: Checkpoint, above: Iterable[Verifier]) -> bytes:
    """The cosignature that a parent entered in its journal for the request at ``index``, whose head is ``checkpoint``.

    ``above``: journal keys of the parent. Raises `BadDraw` where it is not proven, or is for another request or another head.
    """
    evidence = Evidence(seed.leaf, seed.index, tuple(seed.proof), seed.checkpoint)
    try:
        parent = evidence.verify(above)
        told = Entry.FromString(seed.leaf).draw_seed
        key = Verifier.parse(told.verifier)
        head, cosignature = cosigned(
            told.checkpoint, Verifier(key.name, key.public_key, SignatureType.COSIGNATURE)
        )
    except (EvidenceError, DecodeError, CheckpointError) as error:
        raise BadDraw(f"the seed is not proven: {error}") from error
    if key.name != parent.origin:
        raise BadDraw(f"the seed is signed for {key.name}, not by the journal {parent.origin} that has it")
    if (told.request_index, head.body()) != (index, checkpoint.body()):
        raise BadDraw("the seed was given for another request, or for another journal")
    return cosignature


def verify(drawn: ExpertsDrawn, verifiers: Iterable[Verifier], above: Iterable[Verifier] = ()) -> DrawRequest:
    """The request of a draw that holds: it was entered, its head and the parent's cosignature are the seed, and the seed draws just these.

    ``above``: journal keys of the parent; empty: the one that the draw names is taken on trust. Raises `BadDraw` for whatever does not hold, a draw
    without the parent's seed among it where ``above`` says that there is a parent.
    """
    known_above = list(above)
    evidence = Evidence(drawn.request, drawn.request_index, tuple(drawn.proof), drawn.checkpoint)
    try:
        checkpoint = evidence.verify(verifiers)
    except EvidenceError as error:
        raise BadDraw(f"the request is not proven: {error}") from error
    if checkpoint.size != drawn.request_index + 1:
        raise BadDraw(
            f"the seed is the head of {checkpoint.size} entries, not the one that ends with the request,"
            f" entry {drawn.request_index}"
        )
    try:
        entry = Entry.FromString(drawn.request)
    except DecodeError:
        entry = Entry()
    if entry.WhichOneof("body") != "draw_requested":
        raise BadDraw(f"entry {drawn.request_index} requests no draw")
    cosignature = b""
    if drawn.HasField("seed"):
        try:
            keys = known_above or [Verifier.parse(drawn.seed.verifier)]
        except CheckpointError as error:
            raise BadDraw(f"the seed names no key: {error}") from error
        cosignature = seeded(drawn.seed, drawn.request_index, checkpoint, keys)
    elif known_above:
        raise BadDraw("it was drawn without the seed of the parent")
    expected = draw(entry.draw_requested, checkpoint, cosignature)
    if list(drawn.drawn) != expected:
        raise BadDraw(f"this head draws {', '.join(expected)}, not {', '.join(drawn.drawn)}")
    return entry.draw_requested
