"""The rows that repositories give and take: frozen values, no behaviour.

Times are microseconds since the epoch (UTC), days are days since 1970-01-01. ``origin`` is the node whose journal the
row comes from; it leads every key.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from federation.rollup.row import RollupRow as RollupRow

GATHERED: Final = "gathered"
"""State of what is no case but a gathering of cases (`supervision.gathering`): no list or count of cases has it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is held of one journal, own or received."""

    origin: str
    log_id: str
    verifier: str
    """C2SP vkey of the journal key."""
    size: int
    root: bytes
    note: str
    """Newest signed checkpoint at ``size``; empty while ``size`` is 0."""
    signed_at_us: int
    cosigned_size: int
    """Own journal: what the parent has cosigned. Received: equals ``size``."""
    cosigned_note: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One case event as projected. Key (origin, case_id, idx)."""

    origin: str
    case_id: str
    idx: int
    at_us: int
    day_only: bool
    zone: str
    domain: str
    kind: str
    received_at_us: int
    noted_at_us: int
    agency: str
    actor: str
    item: str
    step: str
    applicant: str
    import_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FactsRow:
    """Summary of one case's facts. Key (origin, case_id)."""

    origin: str
    case_id: str
    domain: str
    item: str
    agency: str
    state: str
    """received, accepted, refused, paused, handed_over, completed."""
    received_at_us: int | None
    accepted_at_us: int | None
    completed_at_us: int | None
    statutory_due_us: int | None
    promised_due_us: int | None
    late: bool | None
    """A completed case's answer; None while it is open (lateness then depends on the asker's now)."""
    figures: dict[str, dict[str, int]]
    """What the case adds to rollups: day number (as text) → figure → amount."""
    duration_days: int | None
    applicant: str
    next_at_us: int | None
    """Next instant at which a finding can change; 0: evaluate now; None: never by itself."""
    import_id: str
    """The unfinished import that holds it back; empty: none."""
    size: int
    """Journal size it was folded at."""


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert. Key (origin, alert_id); unique (origin, case_id, subject, rule, level, episode)."""

    origin: str
    alert_id: str
    case_id: str
    subject: str
    domain: str
    rule: str
    level: int
    episode: int
    state: int
    """AlertState number."""
    since_us: int
    due_at_us: int
    raised_at_us: int
    idx: int
    """Journal index of the AlertRaised entry."""
    agency: str
    item: str
    actor: str
    over: int
    journal_size: int
    policy_version: int
    calendar_version: str
    rule_version: int
    mandates: str = ""
    """The policies from above that applied, as `Policy.mandated` names them."""


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A node that is, was or wants to be a child here."""

    node: str
    tier: str
    kind: str
    """Its tier, or ``department``."""
    name: str
    state: int
    """EnrolmentState number."""
    tls_key: bytes
    """SubjectPublicKeyInfo, DER; so is ``authority_key``."""
    authority_key: bytes
    sealing_key: bytes
    """Raw X25519 public key."""
    log_id: str
    verifier: str
    """C2SP vkey of its journal key."""
    invitation: str
    """Hex id of the invitation it came with last."""
    certificates: bytes
    """The newest ``Certificates`` message it was given; empty while it waits."""
    changed_at_us: int
    reason: str
    """Why it was revoked."""


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation that was given."""

    invitation: str
    """Hex."""
    digest: bytes
    """SHA-256 of its secret."""
    node: str
    kind: str
    approval: bool
    replaces: bool
    expires_at_us: int
    used_by: bytes
    """SubjectPublicKeyInfo of the TLS key that came with it; empty: nobody did."""
