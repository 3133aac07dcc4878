"""What can go wrong between a node and its database, told apart by what the operator has to do.

Every class has a stable ``code``; its message says what happened and what to do next. A write that raises has left
nothing behind, with one exception that is named: ``StoreUnreachable`` during a commit leaves the outcome unknown, so
whoever wrote reads the head again before it goes on.
"""

from typing import ClassVar


class StoreError(Exception):
    """The database refused or failed."""

    code: ClassVar[str] = "STORE_FAILED"


class StoreFull(StoreError):
    """No room left: free space or raise the limit, then go on; nothing of the transaction was kept."""

    code: ClassVar[str] = "STORE_FULL"


class StoreLocked(StoreError):
    """Another process writes this store: stop it first, or open the store for reading only."""

    code: ClassVar[str] = "STORE_LOCKED"


class StoreUnreachable(StoreError):
    """The file cannot be opened or the server does not answer: check path, rights, address and password."""

    code: ClassVar[str] = "STORE_UNREACHABLE"


class StoreDamaged(StoreError):
    """What is stored contradicts itself: restore from a backup, the parent gives back what it holds."""

    code: ClassVar[str] = "STORE_DAMAGED"


class StoreReadOnly(StoreError):
    """A write to a store that was opened for reading only, or that the system lets nobody write."""

    code: ClassVar[str] = "STORE_READ_ONLY"


class StoreConflict(StoreError):
    """A row contradicts a key or a constraint of the schema."""

    code: ClassVar[str] = "STORE_CONFLICT"


class StoreSealed(StoreError):
    """The own journal is sealed: nothing may be entered until it is checked. `zongheng status` says why."""

    code: ClassVar[str] = "STORE_SEALED"


class SchemaTooNew(StoreError):
    """The database was written by a newer version of the program: install that version or a later one."""

    code: ClassVar[str] = "STORE_SCHEMA_TOO_NEW"


class SchemaMissing(StoreError):
    """The database has no schema, or an older one, and was opened for reading only: open it once for writing."""

    code: ClassVar[str] = "STORE_SCHEMA_MISSING"
