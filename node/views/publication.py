"""Publishing: what people prepared becomes entries of the journal, and the registry follows.

The form is checked as a whole before anything is written; a fault names the key it lies in. Then come the entries, in one append, and then
the registry. Publishing is by difference: what is published already, with the same content, is counted and not entered again. So a
publication that was cut off between journal and registry is repaired by sending it again, and sending one twice does no harm. A version
that is published with other content is refused: what cases were judged by must not change under its number.

What is published ``to`` a node below, or to a ``subtree``, is entered with that address: the lane down carries it, and there it is
mandated. It has versions of its own. This node's own policy and items may be tighter than what is mandated from above, never looser.

Officers' names and sources' contacts go to the registry alone; the journal knows officers by staff number.
"""

import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

from zongheng.v1.catalogue_pb2 import (
    CalendarChange,
    CalendarDay,
    Item,
    LevelSetting,
    Policy,
    RuleSetting,
)
from zongheng.v1.catalogue_pb2 import Level as LevelNumber
from zongheng.v1.engine_pb2 import Library, LocalRule
from zongheng.v1.entry_pb2 import Address, Entry
from zongheng.v1.items_pb2 import Post
from zongheng.v1.score_pb2 import ScoreSheet
from zongheng.v1.terms_pb2 import Audience, StepDeadlines

from federation.errors import ZonghengError
from node.alerting import rules as late_steps
from node.directives import rules as directives
from node.intake.secrecy import is_marked
from node.intake.supervised import refusal, supervised_by
from node.matching import rules as matching
from node.models.forms import AgencyForm, OfficerForm, SourceForm
from node.models.messages import agency_message, day_number, item_message
from node.models.posts import PostForm
from node.models.publication import PolicyForm, Publication, Published
from node.models.rules import LibraryForm, LocalRuleForm
from node.models.sheets import ScoreSheetForm
from node.projection.mandates import SHEET
from node.resupervision import rules as resupervision
from node.supervision import domains, loosening
from node.supervision import policy as settings
from node.supervision.expression import BadExpression
from node.supervision.fold import Domain, installed
from node.supervision.local_rule import local_rule
from node.supervision.policy import Level
from node.views.known import Known
from node.views.present import time_us

if TYPE_CHECKING:
    from node.models.registry import Edition, Registry
    from node.run import Node

__all__ = ["Publication", "Published", "enter", "known_rules", "publish"]


async def publish(node: "Node", form: Publication) -> Published:
    """Publish; ZonghengError ``bad_request`` names the keys at fault and nothing was written."""
    if not any(
        getattr(form, name) for name in Publication.model_fields if name not in ("by", "to", "subtree")
    ):
        raise ZonghengError(
            "bad_request",
            "nothing to publish: give items, agencies, officers, sources, calendar, policy, rules, libraries, posts or sheets",
        )
    if form.items and node.settings.review_items:
        raise ZonghengError(
            "bad_request",
            "items: here they go through legal review first: `zongheng item draft`, then submit",
        )
    registry = await node.registry()
    async with registry.publishing:
        return await enter(node, form, registry)


async def enter(
    node: "Node", form: Publication, registry: "Registry", beside: Sequence[Entry] = (), from_us: int = 0
) -> Published:
    """`publish` for who holds ``registry.publishing``. ``beside`` goes before the entries, in the same append; items rule from ``from_us``."""
    address = address_of(node, form)
    for at, item in enumerate(form.items):
        if item.classified or is_marked(item.name):
            raise ZonghengError(
                "classified", f"items.{at}: an item marked as a state secret (涉密) is not taken in"
            )
    if not await node.projector.settled():
        raise ZonghengError(
            "busy", "the node is still reading its journal; publish again when it has caught up"
        )
    known = await Known.read(node, address)
    difference = _Difference(node, form, known, from_us)
    difference.check()
    entries = difference.entries()
    if address is not None:
        for entry in entries:
            entry.address.CopyFrom(address)
    indexes = (await node.write_entries([*beside, *entries]))[len(beside) :] if entries else []
    if address is None:
        await registry.enter(difference.edition(), form.by, node.now())
    if entries:
        await node.projector.settled()
    return Published(
        items=len(difference.items),
        agencies=len(difference.agencies),
        officers=len(form.officers),
        sources=len(form.sources),
        days=len(difference.days),
        years=len(difference.years),
        policy=None if difference.policy is None else difference.policy.version,
        rules=len(difference.rules),
        libraries=len(difference.libraries),
        posts=len(difference.posts),
        sheets=len(difference.sheets),
        unchanged=difference.unchanged,
        indexes=indexes,
        to="" if address is None else address.node,
        subtree=form.subtree,
    )


def address_of(node: "Node", form: Publication) -> Address | None:
    """Whom below it is for; None: it is this node's own."""
    if not form.to and not form.subtree:
        return None
    for key in ("agencies", "officers", "sources", "posts"):
        if getattr(form, key):
            raise ZonghengError("bad_request", f"{key}: what is published for nodes below names no {key}")
    return node.addressed.address(form.to or node.settings.node, subtree=form.subtree)


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a form would publish of rules and policy, without publishing it."""

    pieces: dict[str, list[bytes]]
    """Serialised messages by the kind of what a context is made of."""
    rules: tuple[str, ...]
    """Codes of the rules that it changes."""


async def drafted(node: "Node", form: Publication) -> Drafted:
    """A draft checked as if it were published. ZonghengError ``bad_request`` names the keys at fault."""
    known = await Known.read(node, None)
    difference = _Difference(node, form, known)
    difference.check()
    pieces = {
        "rule": [rule.SerializeToString() for rule in difference.rules],
        "library": [library.SerializeToString() for library in difference.libraries],
        "policy": [] if difference.policy is None else [difference.policy.SerializeToString()],
    }
    settings = () if form.policy is None else form.policy.rules
    codes = [one.code for one in form.rules] + [one.rule for one in settings]
    return Drafted(pieces, tuple(dict.fromkeys(codes)))


class _Difference:
    """What a form adds to what is published."""

    def __init__(self, node: "Node", form: Publication, known: Known, from_us: int = 0) -> None:
        self._form, self._known = form, known
        self._node, self._calendar = node.settings.node, node.settings.calendar
        self._tier = node.settings.tier
        self._zone, self._now_us = node.settings.zone, node.now()
        asked_items = [item_message(item, item.domain) for item in form.items]
        for item in asked_items:
            item.valid_from_us = from_us
        asked_agencies = [agency_message(agency, agency.node or self._node) for agency in form.agencies]
        asked_days = [
            CalendarDay(day=day_number(day.day), working=day.working, name=day.name) for day in form.calendar
        ]
        self.items = [
            item for item in asked_items if not _same(known.items.get((item.code, item.version)), item)
        ]
        self.agencies = [agency for agency in asked_agencies if known.agencies.get(agency.code) != agency]
        self.days = [day for day in asked_days if known.days.get(day.day) != day]
        self.years = sorted(set(form.published_years) - known.years)
        self.policy = None if form.policy is None else self._policy(form.policy)
        self.rules = [
            made for one in form.rules if (made := _newer(one, known.rules.get(one.code))) is not None
        ]
        self.libraries = [
            held for one in form.libraries if (held := _newer(one, known.libraries.get(one.name))) is not None
        ]
        self.posts = [
            post for one in form.posts if (post := _newer(one, known.posts.get(one.code))) is not None
        ]
        self.sheets = [
            sheet for one in form.sheets if (sheet := _newer(one, known.sheets.get(one.name))) is not None
        ]
        asked = len(asked_items) + len(asked_agencies) + len(asked_days) + len(set(form.published_years))
        asked += len(form.rules) + len(form.libraries) + len(form.posts) + len(form.sheets)
        entered = len(self.items) + len(self.agencies) + len(self.days) + len(self.years)
        entered += len(self.rules) + len(self.libraries) + len(self.posts) + len(self.sheets)
        same_policy = form.policy is not None and self.policy is None
        self.unchanged = asked - entered + same_policy

    def check(self) -> None:
        """Raise ZonghengError ``bad_request`` for whatever the form alone cannot tell."""
        faults = [
            *self._faults_of_domains(),
            *self._faults_of_items(),
            *self._faults_of_agencies(),
            *self._faults_of_policy(),
            *faults_of_rules(self._form, self._known.domains, self._zone),
            *self._faults_of_replaced(),
        ]
        if self._form.published_years and self._calendar != "china":
            faults.append(
                f"published_years: this node's calendar is {self._calendar!r}, where no day is provisional"
            )
        if faults:
            raise ZonghengError("bad_request", "; ".join(faults))

    def _faults_of_domains(self) -> list[str]:
        supervised = supervised_by(self._tier)
        return [
            f"items.{at}.domain: {refusal(item.domain, supervised)}"
            for at, item in enumerate(self._form.items)
            if item.domain not in supervised
        ]

    def _faults_of_items(self) -> list[str]:
        new = {(item.code, item.version) for item in self.items}
        return [
            f"items.{at}.version: version {item.version} of {item.code} is published with other content;"
            f" publish the change as version {max(v for code, v in self._known.items if code == item.code) + 1}"
            for at, item in enumerate(self._form.items)
            if (item.code, item.version) in new and (item.code, item.version) in self._known.items
        ] + self._looser_items()

    def _looser_items(self) -> list[str]:
        return [
            f"items.{at}{fault}" for at, item in enumerate(self.items) for fault in looser(item, self._known)
        ]

    def _faults_of_replaced(self) -> list[str]:
        """A rule or library of one's own does not hold beside one of that name from above."""
        named = [("rules", "rule", at, one.code) for at, one in enumerate(self._form.rules)]
        named += [("libraries", "library", at, one.name) for at, one in enumerate(self._form.libraries)]
        named += [("sheets", SHEET, at, one.name) for at, one in enumerate(self._form.sheets)]
        return [
            f"{key}.{at}.name: {code} is mandated by {sender} above; choose another name"
            for key, kind, at, code in named
            if (sender := self._known.replaced.get((kind, code))) is not None
        ]

    def _faults_of_agencies(self) -> list[str]:
        there = (
            self._known.registered | self._known.agencies.keys() | {one.code for one in self._form.agencies}
        )
        named: list[tuple[str, Sequence[OfficerForm | SourceForm | PostForm]]] = [
            ("officers", self._form.officers),
            ("sources", self._form.sources),
            ("posts", self._form.posts),
        ]
        return [
            f"{key}.{at}.agency: there is no agency {one.agency!r} here; publish it first or with this"
            for key, entries in named
            for at, one in enumerate(entries)
            if one.agency not in there
        ]

    def _faults_of_policy(self) -> list[str]:
        asked = self._form.policy
        if asked is None:
            return []
        own = {one.code for one in self._form.rules} | self._known.rules.keys()
        rules = known_rules() | own if asked.rules else frozenset()
        faults = [
            f"policy.rules.{at}.rule: there is no rule {one.rule!r}; the rules are {', '.join(sorted(rules))}"
            for at, one in enumerate(asked.rules)
            if one.rule not in rules
        ]
        newest = self._known.policy
        if self.policy is not None and self.policy.valid_from_us > self._now_us:
            faults.append(
                "policy.valid_from: a policy rules from its publication on; publish it when it is to apply"
            )
        if self.policy is not None and newest is not None and self.policy.version <= newest.version:
            faults.append(
                f"policy.version: version {newest.version} is published; publish this as version {newest.version + 1}"
            )
        if self.policy is not None:
            meant = replace(settings.Policy.from_message(self.policy), mandates=self._known.mandates)
            faults += [f"policy: {loose}" for loose in loosening.of_policy(meant)]
        return faults

    def _policy(self, form: PolicyForm) -> Policy | None:
        """The policy to be entered; None when it is published as it is."""
        made = Policy(
            rules=[
                RuleSetting(
                    rule=one.rule,
                    disabled=one.disabled,
                    notice=one.notice,
                    yellow=one.yellow,
                    red=one.red,
                    limit_days=one.limit_days,
                )
                for one in form.rules
            ],
            levels=[
                LevelSetting(
                    level=LevelNumber.ValueType(Level[one.level.upper()]),
                    confirm=one.confirm,
                    confirm_timeout_days=one.confirm_timeout_days,
                )
                for one in form.levels
            ],
            deadlines=StepDeadlines(**form.deadlines.named) if form.deadlines.named else None,
            audiences=[
                Audience(level=Level[one.level.upper()], roles=sorted(set(one.roles)))
                for one in sorted(form.audiences, key=lambda one: Level[one.level.upper()])
            ],
        )
        newest = self._known.policy
        same = newest if form.version is None else self._known.policies.get(form.version)
        if same is not None:
            made.version = same.version
            made.valid_from_us = time_us(form.valid_from, self._zone) or same.valid_from_us
            if made == same:
                return None
        made.version = form.version or (newest.version if newest is not None else 0) + 1
        made.valid_from_us = time_us(form.valid_from, self._zone) or self._now_us
        return made

    def entries(self) -> list[Entry]:
        """The entries, agencies before the items that name them."""
        for library in self.libraries:
            library.by = self._form.by
        for post in self.posts:
            post.by = self._form.by
        entries = [Entry(agency_published=agency) for agency in self.agencies]
        entries += [Entry(item_published=item) for item in self.items]
        if self.days or self.years:
            change = CalendarChange(days=self.days, published_years=self.years, base=self._calendar)
            entries.append(Entry(calendar_changed=change))
        entries += [Entry(library_published=library) for library in self.libraries]
        entries += [Entry(post_published=post) for post in self.posts]
        entries += [Entry(rule_published=rule) for rule in self.rules]
        entries += [Entry(score_sheet_published=sheet) for sheet in self.sheets]
        if self.policy is not None:
            entries.append(Entry(policy_published=self.policy))
        return entries

    def edition(self) -> "Edition":
        """What the registry takes over: the form, and agencies that only the journal knew (an import brought them)."""
        given = {
            agency.code: agency.model_copy(update={"node": agency.node or self._node})
            for agency in self._form.agencies
        }
        named = {one.agency for one in self._form.officers} | {one.agency for one in self._form.sources}
        for code in sorted(named):
            known = self._known.agencies.get(code)
            if code not in given and known is not None:
                given[code] = AgencyForm(
                    code=code, name=known.name, node=known.node, superior=known.superior, line=known.line
                )
        from node.models.registry import Edition

        return Edition(tuple(given.values()), self._form.officers, self._form.sources, self._form.items)


def _same(known: Item | None, asked: Item) -> bool:
    """Whether a version is published as it is asked for; from which instant it rules was settled then."""
    if known is None:
        return False
    settled = Item()
    settled.CopyFrom(asked)
    settled.valid_from_us = known.valid_from_us
    return settled == known


def looser(item: Item, known: Known) -> list[str]:
    """How an own version of an item is looser than the newest that is mandated above, each with the key it lies in."""
    sender, mandated = known.newest_mandated(item.code)
    if mandated is None:
        return []
    faults = []
    if mandated.withdrawn and not item.withdrawn:
        faults.append(f": {item.code} is withdrawn by {sender} above")
    if item.version <= mandated.version:
        faults.append(
            f".version: {sender} above has {item.code} as version {mandated.version};"
            f" publish what is tighter as version {mandated.version + 1} or later"
        )
    return faults + [f": {loose}" for loose in loosening.of_item(item, mandated, sender)]


def known_rules() -> frozenset[str]:
    """Codes of the built-in rules: of every domain, about children, directives, matching and late steps of alerts."""
    codes = tuple(package.name for package in pkgutil.iter_modules(domains.__path__) if package.ispkg)
    return (
        frozenset(rule.code for domain in installed(codes) for rule in domain.rules)
        | resupervision.CODES
        | directives.BY_CODE.keys()
        | matching.BY_CODE.keys()
        | late_steps.BY_CODE.keys()
    )


def faults_of_rules(form: Publication, domains: Sequence[Domain], zone: str) -> list[str]:
    """What is wrong with the form's local rules, each with the key it lies in."""
    faults = []
    for at, one in enumerate(form.rules):
        try:
            local_rule(one.message(1), domains, zone)
        except BadExpression as bad:
            faults.append(f"rules.{at}.expression: {bad}")
        except LookupError as unknown:
            faults.append(f"rules.{at}.domain: {unknown.args[0]}")
    return faults


@overload
def _newer(form: LocalRuleForm, known: LocalRule | None) -> LocalRule | None: ...
@overload
def _newer(form: LibraryForm, known: Library | None) -> Library | None: ...
@overload
def _newer(form: PostForm, known: Post | None) -> Post | None: ...
@overload
def _newer(form: ScoreSheetForm, known: ScoreSheet | None) -> ScoreSheet | None: ...
def _newer(
    form: LocalRuleForm | LibraryForm | PostForm | ScoreSheetForm,
    known: LocalRule | Library | Post | ScoreSheet | None,
) -> LocalRule | Library | Post | ScoreSheet | None:
    """The next version of what the form says; None where the newest says the same."""
    if known is None:
        return form.message(1)
    return None if form.message(known.version) == known else form.message(known.version + 1)
