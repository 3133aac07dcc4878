"""The random draw of evaluation experts (评标专家随机抽取), so that anybody can repeat it offline.

    request (pool, avoidance, how many) ──▶ an entry ──▶ the signed head that ends with it = the seed ──▶ the draw, an entry with its proof

The request is entered first. The head whose last entry it is (RFC 9162 root over everything the journal ever held) gives the seed, so the seed
stands before the draw and nobody picks it: another request is another entry, with the next number, for all to see. At a node with a parent the head
must have been cosigned before the draw, which makes it public. Each expert who may be drawn gets the rank

    SHA-256(SHA-256("zongheng draw v1\\n" ‖ checkpoint body) ‖ "\\n" ‖ expert)

and those with the lowest ranks are drawn, in that order. Avoided (招标投标法 §37, 评标委员会和评标方法暂行规定 §12) is who is named with a reason, and
who works for a party to the project; where it is asked for, no two have one employer.

What does not hold: a node that computes its own journal's next root before it enters a request can try requests in secret and enter the one it
likes. What it cannot do is choose afterwards, or hide that it asked twice.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import ClassVar, Final

from google.protobuf.message import DecodeError
from zongheng.v1.engine_pb2 import DrawRequest, ExpertsDrawn
from zongheng.v1.entry_pb2 import Entry

from federation.journal.checkpoint import Checkpoint, Verifier
from federation.journal.evidence import Evidence, EvidenceError

DOMAIN_SEPARATOR: Final = b"zongheng draw v1\n"

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


def draw(request: DrawRequest, checkpoint: Checkpoint) -> list[str]:
    """The experts that this head draws. Raises `BadDraw` where too few may be drawn."""
    seed = sha256(DOMAIN_SEPARATOR + checkpoint.body().encode()).digest()
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


def verify(drawn: ExpertsDrawn, verifiers: Iterable[Verifier]) -> DrawRequest:
    """The request of a draw that holds: it was entered, its head is the seed, and the seed draws just these.

    Raises `BadDraw` for whatever does not hold.
    """
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
    expected = draw(entry.draw_requested, checkpoint)
    if list(drawn.drawn) != expected:
        raise BadDraw(f"this head draws {', '.join(expected)}, not {', '.join(drawn.drawn)}")
    return entry.draw_requested
