"""Rules of a node's own (自定义规则): a published text that is judged like a built-in rule, here and by every parent that holds the journal.

What a rule may look at is the list of facts that its domain documents, or one of its gatherings (`funds.payee_month`): a gathering is judged as a
case is. Its code is `<domain>.local.<name>`; a newer version takes the place of
the older one from its entry on, and one that is withdrawn is applied no more. A rule that this version cannot read (it was published by a newer
one) is left out and named, never guessed.

`since` of a finding is the latest of the times that the expression reads, else the case's last event.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl
from zongheng.v1 import catalogue_pb2, engine_pb2

from node.supervision.expression import BadExpression, compile_expression
from node.supervision.fold import Domain
from node.supervision.policy import Level, Rule, Test, Threshold, Words

MARK: Final = ".local."

_MOST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Applied:
    """The domains with the local rules among theirs."""

    domains: tuple[Domain, ...]
    left_out: tuple[str, ...]
    """Codes of published rules that this version cannot read."""


def local_rule(message: engine_pb2.LocalRule, domains: Sequence[Domain], zone: str) -> Rule:
    """The rule ready to be applied. Raises `BadExpression`; `LookupError` for a domain that is not supervised here."""
    domain = next((one for one in domains if one.stream == message.domain), None)
    if domain is None:
        raise LookupError(f"no domain {message.domain!r} is supervised here")
    compiled = compile_expression(
        message.expression, {name: sense for name, sense, _, _ in domain.documented}, zone
    )
    thresholds = _thresholds(message)
    if compiled.kind == "flag":
        if message.level == catalogue_pb2.LEVEL_UNSPECIFIED or thresholds:
            raise BadExpression("it is true or false: say its level, and no thresholds", 0)
        thresholds = (Threshold(Level(message.level), 1),)
        measure = compiled.measure
    else:
        if message.level != catalogue_pb2.LEVEL_UNSPECIFIED or not thresholds:
            raise BadExpression(
                "it is a number: say from where on it is notice, yellow or red, and no level", 0
            )
        measure = compiled.measure.floor().clip(-_MOST, _MOST).cast(pl.Int32)
    latest = [pl.col(name) for name in compiled.instants]
    since = pl.coalesce(pl.max_horizontal(latest), "last_at") if latest else pl.col("last_at")
    return Rule(
        code=message.code,
        domain=domain.code,
        subject=domain.gathering or "case",
        thresholds=thresholds,
        legal_basis=message.legal_basis,
        words=Words(message.name_zh, message.name_en, message.text_zh, message.text_en),
        test=Test("cases", measure=measure, since=since, actor=pl.lit("")),
        fixed=compiled.kind == "flag",
        version=message.version,
    )


def with_local_rules(
    domains: tuple[Domain, ...], messages: Iterable[engine_pb2.LocalRule], zone: str
) -> Applied:
    """The domains with the newest version of each published rule that is not withdrawn."""
    newest: dict[str, engine_pb2.LocalRule] = {}
    for message in messages:
        known = newest.get(message.code)
        if known is None or message.version >= known.version:
            newest[message.code] = message
    rules: dict[str, list[Rule]] = {}
    left_out = []
    for code, message in sorted(newest.items()):
        if message.withdrawn:
            continue
        try:
            rules.setdefault(message.domain, []).append(local_rule(message, domains, zone))
        except (BadExpression, LookupError):
            left_out.append(code)
    if rules:
        domains = tuple(
            replace(domain, rules=(*domain.rules, *rules.get(domain.stream, ()))) for domain in domains
        )
    return Applied(domains, tuple(left_out))


def _thresholds(message: engine_pb2.LocalRule) -> tuple[Threshold, ...]:
    given = (
        (Level.NOTICE, message.notice if message.HasField("notice") else None),
        (Level.YELLOW, message.yellow if message.HasField("yellow") else None),
        (Level.RED, message.red if message.HasField("red") else None),
    )
    return tuple(Threshold(level, at_least) for level, at_least in given if at_least is not None)
