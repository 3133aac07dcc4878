"""What a node's own policy or catalogue says that is looser than what is mandated from above.

A child may tighten and never loosen. Publishing refuses what is found here, in these words; where a journal holds it all the same (it was
published before the mandate came, or by a program that did not look), it does not hold, and is counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from zongheng.v1.catalogue_pb2 import Item, Limit

from node.supervision import terms
from node.supervision.policy import Level, Policy


@dataclass(frozen=True, slots=True)
class Loosening:
    """One thing that is looser than it may be."""

    subject: str
    """A rule, a level, or an item with its version."""
    key: str
    """What of it: disabled, notice, yellow, red, limit_days, confirm, told; a step's days; of an item statutory, promised, fee, step …"""
    own: str
    mandated: str
    by: str
    """The policy or the item from above, with its sender."""

    def __str__(self) -> str:
        return f"{self.subject}.{self.key} is {self.own}, and {self.by} from above has {self.mandated}"


def of_policy(policy: Policy) -> list[Loosening]:
    """What the policy itself names looser than its mandates do."""
    return [*_of_rules(policy), *_of_levels(policy), *_of_deadlines(policy), *_of_audiences(policy)]


def _of_rules(policy: Policy) -> Iterator[Loosening]:
    for code, setting in sorted(policy.settings.items()):
        for mandate in policy.mandates:
            asked = mandate.policy.settings.get(code)
            if asked is None or asked.disabled:
                continue
            if setting.disabled:
                yield Loosening(code, "disabled", "true", "false", mandate.word)
                continue
            for level, at_least in setting.named.items():
                wanted = asked.named.get(level)
                if wanted is not None and at_least > wanted:
                    yield Loosening(code, level.word, str(at_least), str(wanted), mandate.word)
            if None not in (setting.limit_days, asked.limit_days) and setting.limit_days > asked.limit_days:  # type: ignore[operator]
                yield Loosening(
                    code, "limit_days", str(setting.limit_days), str(asked.limit_days), mandate.word
                )


def _of_levels(policy: Policy) -> Iterator[Loosening]:
    for level in Level:
        own = policy.confirmations.get(level)
        for mandate in policy.mandates:
            asked = mandate.policy.confirmations.get(level)
            if own is not None and asked is not None and own.longest > asked.longest:
                yield Loosening(level.word, "confirm", _wait(own.longest), _wait(asked.longest), mandate.word)


def _of_deadlines(policy: Policy) -> Iterator[Loosening]:
    for name, own in sorted(policy.deadlines.items()):
        for mandate in policy.mandates:
            asked = mandate.policy.deadlines.get(name)
            if asked is not None and terms.stricter(name, (own, asked)) != own:
                yield Loosening(
                    "deadlines", name, f"{own} working days", f"{asked} working days", mandate.word
                )


def _of_audiences(policy: Policy) -> Iterator[Loosening]:
    for level, own in sorted(policy.audiences.items()):
        for mandate in policy.mandates:
            missing = mandate.policy.audiences.get(level, frozenset()) - own
            if missing:
                yield Loosening(
                    level.word,
                    "told",
                    " ".join(sorted(own)) or "nobody",
                    " ".join(sorted(missing)),
                    mandate.word,
                )


def _wait(days: float) -> str:
    if days == float("inf"):
        return "without end"
    return f"{days:g} working days" if days else "at once"


def of_item(own: Item, mandated: Item, by: str) -> list[Loosening]:
    """What an item's own version has looser than the mandated version of the same item."""
    return list(_of_item(own, mandated, by))


def _of_item(own: Item, mandated: Item, by: str) -> Iterator[Loosening]:
    subject, word = f"{own.code} version {own.version}", f"{by} version {mandated.version}"
    if own.withdrawn and not mandated.withdrawn:
        yield Loosening(subject, "withdrawn", "true", "false", word)
    for key in ("statutory", "promised"):
        mine = getattr(own, key) if own.HasField(key) else None
        asked = getattr(mandated, key) if mandated.HasField(key) else None
        if _longer(mine, asked):
            yield Loosening(subject, key, _limit(mine), _limit(asked), word)
    stays = {one.tier: one.limit for one in own.tier_limits}
    for one in mandated.tier_limits:
        if _longer(stays.get(one.tier), one.limit):
            yield Loosening(subject, f"tier {one.tier}", _limit(stays.get(one.tier)), _limit(one.limit), word)
    steps = {step.code: step for step in own.steps}
    for step in mandated.steps:
        mine = steps.get(step.code)
        if step.required and (mine is None or not mine.required):
            yield Loosening(subject, f"step {step.code}", "not required", "required", word)
        elif mine is not None and step.HasField("limit"):
            stated = mine.limit if mine.HasField("limit") else None
            if _longer(stated, step.limit):
                yield Loosening(subject, f"step {step.code}", _limit(stated), _limit(step.limit), word)
    fee, most = own.fee_fen if own.has_fee else 0, mandated.fee_fen if mandated.has_fee else 0
    by_standard = {(one.fee_standard, one.fee_grade) for one in (own, mandated)}
    if len(by_standard) > 1:
        # Which of them is higher depends on the day.
        yield Loosening(subject, "fee", _fee(own), _fee(mandated), word)
    elif fee > most:
        yield Loosening(subject, "fee", f"{fee} fen", f"{most} fen", word)


def _fee(item: Item) -> str:
    return (
        f"standard {item.fee_standard} {item.fee_grade}".strip()
        if item.fee_standard
        else f"{item.fee_fen} fen"
    )


def _longer(own: Limit | None, mandated: Limit | None) -> bool:
    """Whether a limit is longer than mandated; in another unit nobody can say, so it counts as longer."""
    if mandated is None:
        return False
    if own is None or own.unit != mandated.unit:
        return True
    return own.amount > mandated.amount or (own.roll_forward and not mandated.roll_forward)


def _limit(limit: Limit | None) -> str:
    if limit is None:
        return "none"
    return f"{limit.amount} {('days', 'working days', 'natural days', 'working hours')[limit.unit]}"


def merged_items(
    own: Sequence[Item], above: Iterable[tuple[int, str, Item]]
) -> tuple[list[Item], list[Loosening]]:
    """The items that hold: own ones and those from above, given as (tiers above, sender, item); and what is ignored.

    Of the same version of the same item the one from furthest above holds. An own version of an item that is mandated holds unless it is
    looser than the newest mandated version; which of several versions applies on a day is settled as ever, by the highest number. An item that
    is withdrawn above is withdrawn whatever numbers its own versions have; those that ruled before do so for the cases that began under them.
    """
    mandated: dict[tuple[str, int], tuple[int, str, Item]] = {}
    for steps, sender, item in above:
        known = mandated.get((item.code, item.version))
        if known is None or steps >= known[0]:
            mandated[item.code, item.version] = steps, sender, item
    newest: dict[str, tuple[int, str, Item]] = {}
    closing: dict[str, Item] = {}
    for steps, sender, item in mandated.values():
        known = newest.get(item.code)
        if known is None or (item.version, steps) > (known[2].version, known[0]):
            newest[item.code] = steps, sender, item
    for code, (_, _, item) in newest.items():
        if item.withdrawn:
            closing[code] = mandated.pop((code, item.version))[2]
    kept: list[Item] = []
    ignored: list[Loosening] = []
    for item in own:
        over = newest.get(item.code)
        closed = closing.get(item.code)
        if closed is not None and item.valid_from_us >= closed.valid_from_us:
            ignored.append(
                Loosening(
                    f"{item.code} version {item.version}",
                    "withdrawn",
                    "false",
                    "true",
                    over[1] if over else "",
                )
            )
            continue
        same = mandated.get((item.code, item.version))
        if same is not None and not same[2].withdrawn:
            _, sender, theirs = same
            ignored += of_item(item, theirs, sender)
            continue
        loose = [] if over is None else of_item(item, over[2], over[1])
        ignored += loose
        if not loose:
            kept.append(item)
    held = [*kept, *(item for _, _, item in mandated.values())]
    return [*held, *(_last(closed, held) for closed in closing.values())], ignored


def _last(closed: Item, held: Iterable[Item]) -> Item:
    """The version that withdraws an item, numbered after every other of that item."""
    last = Item()
    last.CopyFrom(closed)
    last.version = max((one.version + 1 for one in held if one.code == closed.code), default=closed.version)
    last.version = max(last.version, closed.version)
    return last
