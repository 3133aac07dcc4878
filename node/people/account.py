"""An account, a session and a token, as values."""

from dataclasses import dataclass

from node.people.roles import Act, Role


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who uses the node."""

    number: str
    """Staff number (工号); also what they log in with."""
    name: str = ""
    agency: str = ""
    """Where they belong; empty: to the node itself."""
    line: str = ""
    email: str = ""
    roles: frozenset[Role] = frozenset()
    password: str = ""
    """argon2id hash; empty: nobody can log in with a password."""
    must_change: bool = False
    """Somebody else knows the password: nothing but choosing another is allowed."""
    active: bool = True
    changed_at_us: int = 0


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session; ``digest`` is that of the secret that the browser keeps."""

    digest: str
    number: str
    csrf: str
    begun_at_us: int
    seen_at_us: int


@dataclass(frozen=True, slots=True)
class KeptToken:
    """A token; ``digest`` is that of the secret that the program keeps."""

    digest: str
    number: str
    label: str
    acts: frozenset[Act]
    made_by: str
    made_at_us: int
    expires_at_us: int
