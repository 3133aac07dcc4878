"""What each address of the HTTP API asks for: an act, or nothing.

Closed unless opened: an address that is not named here is the operator's alone, at the folder's own socket.
"""

from enum import Enum
from typing import Final

from node.people.roles import Act


class Open(Enum):
    """Addresses that ask for no act."""

    ANYBODY = "anybody"
    """Also who has not logged in."""
    INSIDE = "inside"
    """Whoever is in, about themselves."""


_A = Act

NEEDED: Final[dict[tuple[str, str], Act | frozenset[Act] | Open]] = {
    ("GET", "/healthz"): Open.ANYBODY,
    ("GET", "/readyz"): Open.ANYBODY,
    ("GET", "/login"): Open.ANYBODY,
    ("POST", "/login"): Open.ANYBODY,
    ("POST", "/api/login"): Open.ANYBODY,
    ("POST", "/api/logout"): Open.INSIDE,
    ("GET", "/api/me"): Open.INSIDE,
    ("POST", "/api/me/password"): Open.INSIDE,
    ("GET", "/"): Open.INSIDE,
    ("GET", "/watch/{stream:path}"): Act.WATCH,
    ("GET", "/publish/{of}/{camera}"): Act.SHOW,
    # Of cameras, or of a meeting in which one has a seat: which of them, is looked at there.
    ("POST", "/api/whep/{stream:path}"): frozenset({Act.WATCH, Act.CALL}),
    ("POST", "/api/whip/{stream:path}"): frozenset({Act.SHOW, Act.CALL}),
    ("POST", "/api/webrtc-sessions"): Act.OPERATE,
    ("GET", "/api/handed-on"): Act.OPERATE,
    ("DELETE", "/api/handed-on/{order}"): Act.OPERATE,
    # Whose session it is, is looked at there.
    ("PATCH", "/api/webrtc-sessions/{session}"): Open.INSIDE,
    ("DELETE", "/api/webrtc-sessions/{session}"): Open.INSIDE,
    # What a browser asks before it lets a page of another site ask.
    ("GET", "/api/whep/{stream:path}"): Open.ANYBODY,
    ("GET", "/api/whip/{stream:path}"): Open.ANYBODY,
    ("GET", "/api/webrtc-sessions/{session}"): Open.INSIDE,
    ("OPTIONS", "/api/whep/{stream:path}"): Open.ANYBODY,
    ("OPTIONS", "/api/whip/{stream:path}"): Open.ANYBODY,
    ("OPTIONS", "/api/webrtc-sessions/{session}"): Open.ANYBODY,
    ("GET", "/api/status"): Act.READ_STATUS,
    ("GET", "/api/evaluation"): Act.READ_FIGURES,
    ("GET", "/api/alerts"): Act.READ_ALERTS,
    ("POST", "/api/alerts/{alert_id}/decision"): Act.DECIDE_ALERTS,
    ("GET", "/api/alerts/{alert_id}/grounds"): Act.READ_ALERTS,
    ("GET", "/api/inspection"): Act.VERIFY,
    ("POST", "/api/alerts"): Act.RAISE_ALERTS,
    ("GET", "/api/alerts/{alert_id}"): Act.READ_ALERTS,
    ("POST", "/api/alerts/{alert_id}/explanation"): Act.ANSWER_ALERTS,
    ("POST", "/api/alerts/{alert_id}/rectification"): Act.ANSWER_ALERTS,
    ("POST", "/api/alerts/{alert_id}/appeal"): Act.ANSWER_ALERTS,
    ("POST", "/api/alerts/{alert_id}/ruling"): Act.DECIDE_ALERTS,
    ("POST", "/api/alerts/{alert_id}/escalation"): Act.DECIDE_ALERTS,
    ("POST", "/api/alerts/{alert_id}/closing"): Act.DECIDE_ALERTS,
    ("POST", "/api/alerts/{alert_id}/urging"): Act.URGE,
    ("GET", "/api/quarantines"): Act.VERIFY,
    ("GET", "/api/quarantines/{child}"): Act.VERIFY,
    ("POST", "/api/quarantines/{child}/decision"): Act.OPERATE,
    ("POST", "/api/unsealing"): Act.OPERATE,
    ("POST", "/api/backups"): Act.OPERATE,
    ("POST", "/api/recovery-key"): Act.OPERATE,
    ("GET", "/api/files"): Act.READ_FIGURES,
    ("GET", "/api/files/{sha256}/content"): Act.READ_STATUS,
    ("POST", "/api/files/{origin}/{sha256}/again"): Act.OPERATE,
    ("GET", "/api/disclosures"): Act.READ_STATUS,
    ("POST", "/api/disclosures"): Act.PUBLISH,
    ("GET", "/api/accountability"): Act.READ_ALERTS,
    ("POST", "/api/accountability"): Act.HOLD_ACCOUNTABLE,
    ("GET", "/api/accountability/{record}"): Act.READ_ALERTS,
    ("POST", "/api/accountability/{record}/steps"): Act.HOLD_ACCOUNTABLE,
    ("GET", "/api/scores"): Act.READ_SCORES,
    ("GET", "/api/scores/runs"): Act.READ_SCORES,
    ("GET", "/api/scores/sheet"): Act.READ_SCORES,
    ("GET", "/api/scores/runs/{run}"): Act.READ_SCORES,
    ("POST", "/api/scores/drafts"): Act.MAKE_SCORES,
    ("POST", "/api/scores/marks"): Act.MAKE_SCORES,
    ("POST", "/api/scores/runs/{run}/review"): Act.MAKE_SCORES,
    ("POST", "/api/scores/runs/{run}/publication"): Act.PUBLISH_SCORES,
    ("POST", "/api/scores/runs/{run}/appeals"): Act.ANSWER_ALERTS,
    ("POST", "/api/scores/runs/{run}/rulings"): Act.MAKE_SCORES,
    ("POST", "/api/department-alerts"): Act.ENTER_CASES,
    ("GET", "/api/department-alerts/inspection"): Act.READ_ALERTS,
    ("POST", "/api/uploads"): Act.READ_ALERTS,
    ("GET", "/api/alerts/{alert_id}/files/{sha256}"): Act.READ_EVIDENCE,
    ("GET", "/api/escalated"): Act.READ_ALERTS,
    ("POST", "/api/escalated/{origin}/{alert_id}/ruling"): Act.DECIDE_ALERTS,
    ("GET", "/api/alert-times"): Act.READ_FIGURES,
    ("GET", "/api/inbox"): Act.READ_ALERTS,
    ("POST", "/api/inbox"): Act.READ_ALERTS,
    ("GET", "/api/cases"): Act.READ_CASES,
    ("POST", "/api/cases"): Act.ENTER_CASES,
    ("GET", "/api/cases/{case_id:path}/evidence"): Act.READ_EVIDENCE,
    ("POST", "/api/cases/{case_id:path}/events"): Act.ENTER_CASES,
    ("GET", "/api/handovers"): Act.ENTER_CASES,
    ("POST", "/api/cases/{case_id:path}/signature"): Act.ENTER_CASES,
    ("GET", "/api/cases/{case_id:path}"): Act.READ_CASES,
    ("GET", "/api/items"): Act.READ_STATUS,
    ("GET", "/api/items/{item:path}"): Act.READ_STATUS,
    ("POST", "/api/items"): Act.LIST_ITEMS,
    ("POST", "/api/items/{item:path}/listing"): Act.LIST_ITEMS,
    ("POST", "/api/items/{item:path}/recall"): Act.LIST_ITEMS,
    ("POST", "/api/items/{item:path}/review"): Act.REVIEW_ITEMS,
    ("POST", "/api/items/{item:path}/publication"): Act.PUBLISH,
    ("POST", "/api/items/{item:path}/withdrawal"): Act.PUBLISH,
    ("GET", "/api/risks"): Act.READ_ALERTS,
    ("GET", "/api/libraries"): Act.READ_STATUS,
    ("GET", "/api/libraries/{name}"): Act.READ_STATUS,
    ("POST", "/api/libraries/{name}/amendments"): Act.PUBLISH,
    ("GET", "/api/posts"): Act.READ_ALERTS,
    ("GET", "/api/officers"): Act.READ_ALERTS,
    ("POST", "/api/publications"): Act.PUBLISH,
    ("POST", "/api/draws"): Act.ENTER_CASES,
    ("POST", "/api/draws/{index}"): Act.ENTER_CASES,
    ("POST", "/api/trials"): Act.PUBLISH,
    ("GET", "/api/facts"): Open.INSIDE,
    ("GET", "/api/rules"): Open.INSIDE,
    ("GET", "/api/policy"): Act.READ_STATUS,
    ("GET", "/api/lane"): Act.READ_STATUS,
    ("POST", "/api/lane/reopening"): Act.OPERATE,
    ("GET", "/api/rollup"): Act.READ_FIGURES,
    ("GET", "/api/rollup/rows"): Act.READ_FIGURES,
    ("GET", "/api/report"): Act.READ_FIGURES,
    ("GET", "/api/report/{form}"): Act.READ_FIGURES,
    ("GET", "/api/forecast"): Act.READ_FIGURES,
    ("GET", "/api/trend"): Act.READ_FIGURES,
    ("GET", "/api/hot-spots"): Act.READ_FIGURES,
    ("GET", "/api/outliers"): Act.READ_FIGURES,
    ("GET", "/api/reports"): Act.READ_FIGURES,
    ("GET", "/api/reports/{file}"): Act.READ_FIGURES,
    ("POST", "/api/ask"): Act.READ_FIGURES,
    ("POST", "/api/invitations"): Act.OPERATE,
    ("POST", "/api/join"): Act.OPERATE,
    ("POST", "/api/journal/key"): Act.OPERATE,
    ("GET", "/api/children"): Act.READ_STATUS,
    ("POST", "/api/children/{child}/approval"): Act.OPERATE,
    ("POST", "/api/children/{child}/revocation"): Act.OPERATE,
    ("GET", "/api/verification"): Act.VERIFY,
    ("POST", "/api/rebuild"): Act.OPERATE,
    ("GET", "/api/users"): Open.INSIDE,
    ("POST", "/api/users"): Act.MANAGE_ACCOUNTS,
    ("POST", "/api/users/{number}/roles"): Act.GIVE_ROLES,
    ("POST", "/api/users/{number}/state"): Act.MANAGE_ACCOUNTS,
    ("POST", "/api/users/{number}/password"): Act.MANAGE_ACCOUNTS,
    ("GET", "/api/users/{number}/tokens"): Open.INSIDE,
    ("POST", "/api/users/{number}/tokens"): Open.INSIDE,
    ("DELETE", "/api/users/{number}/tokens/{label}"): Open.INSIDE,
    ("GET", "/api/directives"): Act.READ_CASES,
    ("GET", "/api/directives/{directive_id}"): Act.READ_CASES,
    ("POST", "/api/directives"): Act.URGE,
    **{
        ("POST", f"/api/directives/{{directive_id}}/{step}"): Act.URGE
        for step in ("approval", "review", "decision", "reminder", "closing", "withdrawal")
    },
    **{
        ("POST", f"/api/directives/{{directive_id}}/{step}"): Act.ENTER_CASES
        for step in ("signature", "handling", "answer", "extension")
    },
    ("GET", "/api/matching"): Act.READ_STATUS,
    ("GET", "/api/matching/findings"): Act.READ_ALERTS,
    ("POST", "/api/matching/keys"): Act.KEEP_KEYS,
    ("POST", "/api/matching/keys/{purpose}/{number}/closing"): Act.KEEP_KEYS,
    ("POST", "/api/matching/registers"): Act.PUBLISH,
    ("POST", "/api/complaints"): Act.ENTER_CASES,
    ("POST", "/api/complaints/answers"): Act.ENTER_CASES,
    ("GET", "/api/sealed"): Act.READ_SEALED,
    ("POST", "/api/sealed/{origin}/{index}/reading"): Act.READ_SEALED,
    ("POST", "/api/sealed/{origin}/{index}/answer"): Act.READ_SEALED,
    ("GET", "/api/cameras"): Act.WATCH,
    ("POST", "/api/cameras"): Act.OPERATE,
    ("GET", "/api/cameras/{code}"): Act.OPERATE,
    ("POST", "/api/cameras/{code}/removal"): Act.OPERATE,
    ("POST", "/api/cameras/{code}/check"): Act.OPERATE,
    ("POST", "/api/cameras/discovery"): Act.OPERATE,
    ("GET", "/api/cameras/{of}/{code}/presets"): Act.STEER,
    ("POST", "/api/cameras/{of}/{code}/steer"): Act.STEER,
    ("GET", "/api/nodes/{of}/picture"): Act.WATCH,
    ("GET", "/api/nodes/{of}/pictures/{code}"): Act.WATCH,
    ("GET", "/api/cameras/{code}/snapshots"): Act.READ_EVIDENCE,
    ("GET", "/api/cameras/{code}/snapshots/{taken_us}"): Act.READ_EVIDENCE,
    ("GET", "/wall"): Act.WATCH,
    ("GET", "/patrol"): Act.READ_PATROLS,
    ("GET", "/patrol/{round_id}"): Act.READ_PATROLS,
    ("GET", "/api/wall"): Act.WATCH,
    ("GET", "/api/patrols"): Act.READ_PATROLS,
    ("POST", "/api/patrols"): Act.PATROL,
    ("GET", "/api/patrols/{code}"): Act.READ_PATROLS,
    ("POST", "/api/patrols/{code}/removal"): Act.PATROL,
    ("POST", "/api/patrols/{code}/rounds"): Act.PATROL,
    ("GET", "/api/patrol-rounds"): Act.READ_PATROLS,
    ("GET", "/api/patrol-rounds/{round_id}"): Act.READ_PATROLS,
    ("POST", "/api/patrol-rounds/{round_id}/stops/{stop}/picture"): Act.PATROL,
    ("POST", "/api/patrol-rounds/{round_id}/stops/{stop}"): Act.PATROL,
    ("POST", "/api/patrol-rounds/{round_id}/stops/{stop}/finding"): Act.RAISE_ALERTS,
    ("POST", "/api/patrol-rounds/{round_id}/end"): Act.PATROL,
    ("GET", "/api/patrol-rounds/{round_id}/pictures/{sha256}"): Act.READ_PATROLS,
    ("GET", "/api/patrol-rounds/{round_id}/report"): Act.READ_PATROLS,
    ("POST", "/api/snapshots"): Act.WATCH,
    ("POST", "/api/clips"): Act.READ_EVIDENCE,
    ("GET", "/api/clips/{sha256}/content"): Act.READ_EVIDENCE,
    ("GET", "/api/footage/{sha256}"): Act.VERIFY,
    ("GET", "/api/alerts/{alert_id}/cameras"): Act.READ_EVIDENCE,
    ("GET", "/api/streams"): Act.WATCH,
    ("POST", "/api/streams/trials"): Act.WATCH,
    ("GET", "/api/viewings"): Act.WATCH,
    ("POST", "/api/viewings/{viewing}/removal"): Act.OPERATE,
    ("GET", "/calls"): Act.CALL,
    ("GET", "/meeting/{meeting}"): Act.CALL,
    ("GET", "/help"): Act.CALL,
    ("GET", "/api/callable"): Act.CONVENE,
    ("GET", "/api/meetings"): Act.CALL,
    ("POST", "/api/meetings"): Act.CALL,
    ("GET", "/api/meetings/events"): Act.CALL,
    ("GET", "/api/meetings/{meeting}"): Act.CALL,
    **{
        ("POST", f"/api/meetings/{{meeting}}/{act}"): Act.CALL
        for act in ("join", "leave", "decline", "invite", "remove", "close")
    },
    ("GET", "/api/audit"): Act.READ_AUDIT,
    ("GET", "/api/persons/{handle}"): Act.READ_PERSONS,
    ("GET", "/api/texts/{digest}"): Act.READ_PERSONS,
    ("POST", "/api/erasures"): Act.ERASE_PERSONS,
}
"""(method, path as the route names it) → what it asks for; of several acts one is enough. Those that are ``INSIDE`` look at who asks themselves."""


FOREIGN: Final = frozenset(
    {"/api/whep/{stream:path}", "/api/whip/{stream:path}", "/api/webrtc-sessions/{session}"}
)
"""Addresses that players on pages of other sites may ask with a token."""


def needed(method: str, path: str) -> Act | frozenset[Act] | Open | None:
    """What this address asks for; None: it is the operator's alone."""
    return NEEDED.get(("GET" if method == "HEAD" else method, path))
