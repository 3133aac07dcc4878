"""What happened to alerts, told to people by mail and to programs by webhook.

A follower of the own journal: from a cursor on it puts one message a person (and one a webhook) for a whole stretch of entries into the outbox,
in one transaction with the cursor. So an import that raises thousands of alerts is one mail to each, nothing is skipped when the process dies, and
nothing is put twice: a message's id names the stretch. Nobody is told of what was there before telling was set up.

The inbox in the node itself needs none of this: it is a question about the steps (`node.views.inbox`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import orjson
import structlog

from node.alerting.audience import EVERYTHING, told_in
from node.alerting.concerns import concerns
from node.config import WebhookSettings
from node.people.caller import agencies_seen, person
from node.people.roles import Role
from node.projection.context import Contexts, JournalContext
from node.store.outbox import Outgoing
from node.store.steps import Told
from node.store.store import Session, Store
from node.supervision.levels import LEVELS, STATES
from node.views.message import message
from node.views.present import time_text
from node.wallclock import Now

if TYPE_CHECKING:
    from node.people.people import People

log = structlog.get_logger()

CURSOR: Final = "told"
STRETCH: Final = 5_000
"""Entries that one message tells of at most."""

LINES: Final = 50
"""Alerts that a mail names one by one; the rest it counts."""

EVENTS: Final = 500
"""Events that one call of a webhook carries."""

_LEVEL_WORDS: Final = ("", "预警", "黄牌", "红牌")


class Telling:
    """Puts messages into the outbox."""

    def __init__(
        self,
        store: Store,
        contexts: Contexts,
        own: str,
        name: str,
        zone: str,
        mails: bool,
        webhooks: Sequence[WebhookSettings],
        now: Now,
    ) -> None:
        self._store = store
        self._contexts = contexts
        self._own = own
        self._name = name
        self._zone = zone
        self._mails = mails
        self._webhooks = webhooks
        self._now = now

    @property
    def wanted(self) -> bool:
        """Whether anybody is told at all."""
        return self._mails or bool(self._webhooks)

    async def look(self, people: "People | None") -> int:
        """Tell of the next stretch that is projected; returns how many messages were put. ``people`` None: nobody has an account."""
        accounts = [] if people is None or not self._mails else await people.accounts.rows.all()
        context = await self._contexts.of(self._own)
        async with self._store.write() as session:
            projected = (await session.cursors.get("events", self._own)).position
            begun = await session.links.get(CURSOR)
            told = projected if begun is None else int(begun)
            upto = min(projected, told + STRETCH)
            if begun is not None and upto <= told:
                return 0
            messages: list[Outgoing] = []
            held = await self._held(session, context, told, upto) if accounts else {}
            for account in accounts:
                if not account.email or not account.active:
                    continue
                caller = person(account.number, account.roles, account.agency, account.line, None, "")
                seen = agencies_seen(caller, context.agencies)
                found = await self._found(
                    session,
                    told_in(account.roles, context.context.policy),
                    None if seen is None else sorted(seen),
                    told,
                    upto,
                )
                found = _with_held(found, held.get(account.number, ()))
                if found:
                    identity = f"mail/{account.number}/{told}-{upto}"
                    messages.append(self._outgoing(identity, "mail", account.email, self._mail(found)))
            for hook in self._webhooks:
                found = await self._found(session, EVERYTHING, None, told, upto)
                for start in range(0, len(found), EVENTS):
                    identity = f"webhook/{hook.name}/{told}-{upto}/{start}"
                    body = self._events(identity, found[start : start + EVENTS])
                    messages.append(self._outgoing(identity, "webhook", hook.name, body))
            await session.outbox.put(messages)
            await session.links.put(CURSOR, str(upto).encode())
        if messages:
            log.info("alert.told", messages=len(messages), upto=upto)
        return len(messages)

    async def _found(
        self,
        session: Session,
        states: Sequence[tuple[int, Sequence[int]]],
        agencies: Sequence[str] | None,
        told: int,
        upto: int,
    ) -> list[Told]:
        return await session.steps.told(
            self._own, states, agencies, STRETCH, after_idx=told - 1, upto_idx=upto - 1
        )

    async def _held(
        self, session: Session, context: JournalContext, told: int, upto: int
    ) -> dict[str, list[Told]]:
        """What is told to agencies about steps, by who held the step's post at the time: also somebody who works elsewhere now."""
        agency = told_in((Role.OFFICER,), context.context.policy)
        found = await self._found(session, agency, None, told, upto)
        about = await concerns(session, context, [one.alert for one in found])
        held: dict[str, list[Told]] = {}
        for one in found:
            for number in about[one.alert.alert_id].holders if one.alert.alert_id in about else ():
                held.setdefault(number, []).append(one)
        return held

    def _outgoing(self, identity: str, channel: str, recipient: str, body: object) -> Outgoing:
        now_us = self._now()
        return Outgoing(identity, channel, recipient, orjson.dumps(body).decode(), now_us, now_us, 0)

    def _mail(self, found: Sequence[Told]) -> dict[str, str]:
        highest = max(told.alert.level for told in found)
        count = len(found)
        lines = [self._line(told) for told in found[:LINES]]
        if count > LINES:
            lines.append(f"……另有 {count - LINES} 条，请登录系统查看。")
        return {
            "subject": f"【{self._name}】电子监察：{count} 条预警动态，最高{_LEVEL_WORDS[highest]}",
            "text": "\n".join(lines) + "\n",
        }

    def _line(self, told: Told) -> str:
        at = (time_text(told.step.at_us, self._zone) or "")[:16].replace("T", " ")
        alert = told.alert
        words = f"{at} {_LEVEL_WORDS[alert.level]} {STATE_WORDS[told.step.state]} {alert.case_id} {message(alert, self._zone)}"
        return f"{words}（{alert.alert_id}，依据政策{policy_words(alert.policy_version, alert.mandates)}）"

    def _events(self, identity: str, found: Sequence[Told]) -> dict[str, object]:
        return {
            "id": identity,
            "node": self._own,
            "events": [
                {
                    "id": f"{self._own}/{told.step.idx}/{told.alert.alert_id}",
                    "index": told.step.idx,
                    "at": time_text(told.step.at_us, self._zone),
                    "alert_id": told.alert.alert_id,
                    "case": told.alert.case_id,
                    "rule": told.alert.rule,
                    "level": LEVELS[told.alert.level],
                    "state": STATES[told.step.state],
                    "agency": told.alert.agency,
                    "item": told.alert.item,
                    "by": told.step.by_whom,
                    "reason": told.step.reason,
                    "due_at": time_text(told.alert.due_at_us, self._zone),
                    "policy_version": told.alert.policy_version,
                    "mandates": told.alert.mandates,
                }
                for told in found
            ],
        }


def policy_words(version: int, mandates: str) -> str:
    """Which policy an alert rests on, in Chinese: the node's own version, and those from above that applied besides."""
    own = f"第{version}版" if version else "缺省值"
    return f"{own}及上级{mandates}" if mandates else own


def _with_held(found: list[Told], held: Sequence[Told]) -> list[Told]:
    """Both, each step once and in order."""
    if not held:
        return found
    return sorted({*found, *held}, key=lambda told: (told.step.idx, told.alert.alert_id))


STATE_WORDS: Final = {
    number: words
    for number, words in enumerate(
        (
            "",
            "待确认",
            "已发出",
            "已说明",
            "已整改",
            "已申诉",
            "已撤销",
            "维持",
            "已上报",
            "督办",
            "已办结",
            "已更正",
        )
    )
}
"""AlertState number → what a mail calls it."""
