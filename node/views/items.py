"""Items (事项) on their way into the catalogue: drafted and listed by the agency, reviewed by law, published; withdrawn in the end.

What is drafted lies in the registry and is on nobody's record. From the listing on each step is an entry of the journal, which says who, when and
why, and the listing itself what: that is what is reviewed and, unchanged, published. So the state of a version is read from the journal, here as at the
parent that holds it. A publication is one append with its step; a version that replaces another rules from that instant, and cases that began
before go on by theirs. A withdrawal is a last version that says so: no case begins any more (`node.intake.withdrawn`), those under way go on.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.catalogue_pb2 import Item
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.items_pb2 import ItemStep, ItemStepKind

from federation.errors import ZonghengError
from node.intake.secrecy import is_marked
from node.intake.supervised import must_supervise
from node.models.forms import ItemForm
from node.models.messages import item_form, item_message
from node.models.publication import Publication
from node.people.caller import Caller
from node.people.roles import Act
from node.supervision.item_course import EDITABLE, Kind, StepRefused, check
from node.views import publication
from node.views.item_faults import FaultView, Ground
from node.views.item_versions import CHANGED, Version, Versions
from node.views.known import Known
from node.views.present import day_text, time_text
from node.views.sight import must_see, seen_by
from node.wallclock import instant

if TYPE_CHECKING:
    from node.run import Node

_SOURCE = "item"
_IN_WORK = frozenset({Act.LIST_ITEMS, Act.REVIEW_ITEMS, Act.PUBLISH, Act.READ_ALERTS})
"""Any of these shows what is not published yet."""


class DraftForm(BaseModel):
    """A version of an item as its agency writes it."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    item: ItemForm


class Step(BaseModel):
    """Which version, by whom."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, lt=2**32)
    by: str = ""
    """Staff number; over the network it is whoever asks."""
    reason: str = Field(default="", max_length=1_000)


class Review(Step):
    """What legal review comes to."""

    verdict: Literal["pass", "return"]


class Release(Step):
    """A publication or a withdrawal, here or for nodes below."""

    to: str = Field(default="", max_length=100)
    subtree: bool = False


class ItemStepView(BaseModel):
    index: int
    at: str | None
    kind: str
    by: str
    reason: str
    faults: list[str]
    """Rules that were broken when it was listed."""


class ItemLine(BaseModel):
    """One version of one item."""

    item: str
    name: str
    agency: str
    domain: str
    version: int
    state: str
    """draft, listed, passed, returned, recalled, published, changed (a later version is published) or withdrawn."""
    sender: str
    """The node above that it came from; empty: this node's own."""
    reviewed: bool
    """Legal review passed it here."""
    valid_from: str | None
    valid_to: str | None
    """First and last day."""
    rules_from: str | None
    """The instant from which it rules where another version did before."""
    withdrawn_at: str | None
    at: str | None
    """When the last step was taken, or the draft written."""
    by: str
    reason: str
    faults: list[FaultView]


class VersionView(ItemLine):
    """The same with all that it says and all that became of it."""

    content: dict[str, Any]
    """As in a file for `zongheng item draft`."""
    steps: list[ItemStepView]


class ItemView(BaseModel):
    """One item, its versions the newest first."""

    item: str
    origin: str
    versions: list[VersionView]


async def items(
    node: "Node", caller: Caller, *, state: str = "", agency: str = "", origin: str = ""
) -> list[ItemLine]:
    """The versions that the caller sees, by item; those that were replaced only where ``state`` asks for them."""
    versions = await _read(node, origin)
    seen = await _Sight.of(node, caller)
    shown = [
        one
        for one in versions.shown
        if seen.sees(one)
        and (not agency or one.item.agency == agency)
        and (one.state == state if state else one.state != CHANGED)
    ]
    faults = (await Ground.of(node)).faults([one.item for one in shown])
    return [_line(node, one, found) for one, found in zip(shown, faults, strict=True)]


async def item(node: "Node", caller: Caller, code: str, origin: str = "") -> ItemView:
    """One item; ``not_found`` where there is none that the caller sees."""
    versions = await _read(node, origin, code)
    seen = await _Sight.of(node, caller)
    shown = [one for one in versions.shown if seen.sees(one)]
    if not shown:
        raise ZonghengError("not_found", f"there is no item {code} here: see `zongheng item list`")
    newest = sorted(shown, key=lambda one: -one.item.version)
    faults = (await Ground.of(node)).faults([one.item for one in newest])
    return ItemView(
        item=code,
        origin=origin or node.settings.node,
        versions=[
            _whole(node, one, found, seen.in_work(one)) for one, found in zip(newest, faults, strict=True)
        ],
    )


async def draft(node: "Node", caller: Caller, form: DraftForm) -> ItemView:
    """Keep a version in writing. ``bad_request`` for one that is published, or on its way and not returned."""
    by, wanted = _signed(caller, form.by), form.item
    if wanted.classified or is_marked(wanted.name):
        raise ZonghengError("classified", "an item marked as a state secret (涉密) is not taken in")
    if not wanted.agency:
        raise ZonghengError("bad_request", "item.agency: say which agency lists it")
    registry = await node.registry()
    async with registry.publishing:
        versions = await _read(node, code=wanted.code)
        for agency in {wanted.agency, *(one.item.agency for one in versions.own)}:
            await must_see(node, caller, agency, f"item {wanted.code}")
        taken = versions.numbered(wanted.version)
        if taken is not None and taken.state not in EDITABLE:
            raise ZonghengError(
                "bad_request",
                f"version {wanted.version} of {wanted.code} is {taken.state}: "
                + (
                    "recall it first"
                    if taken.state in (Kind.LISTED, Kind.PASSED)
                    else f"write version {versions.next}"
                ),
            )
        if taken is None and wanted.version != versions.next:
            raise ZonghengError("bad_request", f"write it as version {versions.next} of {wanted.code}")
        await registry.save_draft(wanted, by, node.now())
    return await item(node, caller, wanted.code)


async def submit(node: "Node", caller: Caller, code: str, form: Step) -> ItemView:
    """List a draft: from here on it waits for legal review, as it is now."""
    registry = await node.registry()
    async with registry.publishing:
        version = await _version(node, caller, code, form.version)
        if version.draft is None or version.state not in EDITABLE:
            raise ZonghengError(
                "bad_request", f"version {form.version} of {code} is {version.state}, no draft"
            )
        must_supervise(node.settings.tier, version.draft.item.domain)
        content = item_message(version.draft.item, version.draft.item.domain)
        held = await Ground.of(node)
        step = ItemStep(content=content, faults=[one.rule for one in held.faults([content])[0]])
        await _take(node, version, Kind.LISTED, _signed(caller, form.by), form.reason, step)
    return await item(node, caller, code)


async def review(node: "Node", caller: Caller, code: str, form: Review) -> ItemView:
    """Legal review passes what was listed, or returns it with a reason; not by who listed it."""
    kind = Kind.PASSED if form.verdict == "pass" else Kind.RETURNED
    registry = await node.registry()
    async with registry.publishing:
        version = await _version(node, caller, code, form.version)
        await _take(node, version, kind, _signed(caller, form.by), form.reason)
    return await item(node, caller, code)


async def recall(node: "Node", caller: Caller, code: str, form: Step) -> ItemView:
    """The agency takes back what is not published yet; a draft that nobody listed is laid aside."""
    by = _signed(caller, form.by)
    registry = await node.registry()
    async with registry.publishing:
        version = await _version(node, caller, code, form.version)
        if version.draft is not None and not version.steps:
            await registry.withdraw_draft(version.draft.id, by, node.now())
        else:
            await _take(node, version, Kind.RECALLED, by, form.reason)
    return await item(node, caller, code)


async def publish(node: "Node", caller: Caller, code: str, form: Release) -> ItemView:
    """Publish what passed legal review, as it was listed. Where another version rules, this one does from now on."""
    registry = await node.registry()
    async with registry.publishing:
        version = await _version(node, caller, code, form.version)
        by = _signed(caller, form.by)
        step = _checked(version, Kind.PUBLISHED, by, form.reason)
        wanted = item_form(version.item)
        release = Publication(by=by, items=(wanted,), to=form.to, subtree=form.subtree)
        known = await Known.read(node, publication.address_of(node, release))
        today = instant(node.now()).astimezone(ZoneInfo(node.settings.zone)).date()
        if known.newest_item(code) is None:
            # The first: it may be taken over with a day of old.
            from_us = 0 if wanted.valid_from is not None else node.now()
        elif wanted.valid_from is not None and wanted.valid_from < today:
            raise ZonghengError(
                "bad_request",
                f"{code} version {wanted.version} would rule from {wanted.valid_from}, over cases that began under the version"
                " before: have it listed again without valid_from, or with a day to come",
            )
        else:
            from_us = node.now()
        await publication.enter(node, release, registry, [_entry(version, step)], from_us)
    return await item(node, caller, code)


async def withdraw(node: "Node", caller: Caller, code: str, form: Release) -> ItemView:
    """Withdraw a published item with a reason: no new case begins, those under way go on by the version they began with."""
    registry = await node.registry()
    async with registry.publishing:
        version = await _version(node, caller, code, form.version)
        step = _checked(version, Kind.WITHDRAWN, _signed(caller, form.by), form.reason)
        address = publication.address_of(node, Publication(to=form.to, subtree=form.subtree))
        known = await Known.read(node, address)
        newest = known.newest_item(code)
        if newest is None or newest.version != form.version:
            raise ZonghengError(
                "bad_request", f"version {form.version} of {code} is not the newest that is published there"
            )
        last = Item()
        last.CopyFrom(newest)
        last.version, last.withdrawn, last.valid_from_us = newest.version + 1, True, node.now()
        last.valid_from_day = last.valid_to_day = 0
        if address is None and (loose := publication.looser(last, known)):
            raise ZonghengError("bad_request", "; ".join(one.lstrip(".: ") for one in loose))
        entry = Entry(item_published=last)
        if address is not None:
            entry.address.CopyFrom(address)
        await node.write_entries([_entry(version, step), entry])
        await node.projector.settled()
    return await item(node, caller, code)


async def _read(node: "Node", origin: str = "", code: str = "") -> Versions:
    own = node.settings.node
    await node.projector.settled()
    async with node.store.read() as session:
        versions = await Versions.read(session, origin or own, code)
    if not origin or origin == own:
        drafts = await (await node.registry()).drafts()
        versions.draft(one for one in drafts if not code or one.item.code == code)
    return versions


@dataclass(frozen=True, slots=True)
class _Sight:
    """What of the versions a caller sees: published ones everybody, what is in work whoever has a part in it, within their agencies."""

    takes_part: bool
    agencies: frozenset[str] | None

    @classmethod
    async def of(cls, node: "Node", caller: Caller) -> Self:
        seen = await seen_by(node, caller)
        takes_part = caller.is_operator or bool(caller.acts & _IN_WORK)
        return cls(takes_part, None if seen is None else frozenset(seen))

    def in_work(self, version: Version) -> bool:
        return self.takes_part and (self.agencies is None or version.item.agency in self.agencies)

    def sees(self, version: Version) -> bool:
        return version.published or self.in_work(version)


async def _version(node: "Node", caller: Caller, code: str, number: int) -> Version:
    versions = await _read(node, code=code)
    version = versions.numbered(number)
    if version is None:
        raise ZonghengError("not_found", f"there is no version {number} of {code} here")
    await must_see(node, caller, version.item.agency, f"version {number} of {code}")
    return version


def _checked(version: Version, kind: Kind, by: str, reason: str, step: ItemStep | None = None) -> ItemStep:
    try:
        check(version.done, kind, by=by, reason=reason, published=version.published)
    except StepRefused as refused:
        raise ZonghengError(
            "bad_request", f"version {version.item.version} of {version.item.code}: {refused}"
        ) from None
    if is_marked(reason):
        raise ZonghengError(
            "classified", "a text marked as a state secret (涉密) does not belong into this system"
        )
    step = step or ItemStep()
    step.item, step.version, step.by, step.reason = version.item.code, version.item.version, by, reason
    step.kind = ItemStepKind.Value(f"ITEM_STEP_KIND_{kind.upper()}")
    return step


async def _take(
    node: "Node", version: Version, kind: Kind, by: str, reason: str, step: ItemStep | None = None
) -> None:
    await node.write_entries([_entry(version, _checked(version, kind, by, reason, step))])
    await node.projector.settled()


def _entry(version: Version, step: ItemStep) -> Entry:
    """At its place among the steps: it is entered once."""
    serial = f"{step.item}/{step.version}/{len(version.steps)}"
    return Entry(source=_SOURCE, serial=serial, item_step=step)


def _signed(caller: Caller, given: str) -> str:
    by = caller.signing(given)
    if not by.strip():
        raise ZonghengError("bad_request", "say who does this (by): a staff number")
    return by


def _line(node: "Node", version: Version, faults: list[FaultView]) -> ItemLine:
    zone, content = node.settings.zone, version.item
    return ItemLine(
        item=content.code,
        name=content.name,
        agency=content.agency,
        domain=content.domain,
        version=content.version,
        state=version.state,
        sender=version.sender,
        reviewed=version.reviewed,
        valid_from=day_text(content.valid_from_day),
        valid_to=day_text(content.valid_to_day),
        rules_from=time_text(content.valid_from_us, zone),
        withdrawn_at=time_text(version.withdrawn_us, zone),
        at=time_text(version.at_us, zone),
        by=version.by,
        reason=version.reason,
        faults=faults,
    )


def _whole(node: "Node", version: Version, faults: list[FaultView], in_work: bool) -> VersionView:
    """``in_work``: the caller has a part in it, and sees who did what."""
    line = _line(node, version, faults)
    steps = [
        ItemStepView(
            index=row.idx,
            at=time_text(row.at_us, node.settings.zone),
            kind=done.kind,
            by=step.by,
            reason=step.reason,
            faults=list(step.faults),
        )
        for done, (row, step) in zip(version.done, version.steps, strict=True)
    ]
    return VersionView(
        **dict(line),
        content=item_form(version.item).model_dump(mode="json", exclude_defaults=True),
        steps=steps if in_work else [],
    )
