"""The registry's tables as Tortoise sees them. The schema itself is the numbered SQL beside; a test holds the two together.

Tortoise keeps on a model class which dialect it builds queries for, so that one class cannot serve an SQLite registry and a
PostgreSQL one in the same process. Each dialect therefore has classes of its own, made once out of the same fields.
"""

from dataclasses import dataclass
from functools import cache
from types import new_class
from typing import TypeVar

from tortoise import fields
from tortoise.models import Model

from node.store.engine import Dialect

_M = TypeVar("_M", bound=Model)

# Lengths are the forms' business; the columns are TEXT.
_LONGEST = 1_000


class Agency(Model):
    """A department (部门). Key: its code."""

    code = fields.CharField(max_length=_LONGEST, primary_key=True)
    name = fields.CharField(max_length=_LONGEST)
    node = fields.CharField(max_length=_LONGEST)
    superior = fields.CharField(max_length=_LONGEST)
    line = fields.CharField(max_length=_LONGEST)

    class Meta:
        abstract = True


class Officer(Model):
    """Somebody who acts for an agency (工作人员). Key: the staff number (工号)."""

    number = fields.CharField(max_length=_LONGEST, primary_key=True)
    name = fields.CharField(max_length=_LONGEST)
    agency = fields.CharField(max_length=_LONGEST)
    posts: fields.JSONField[list[str]] = fields.JSONField()
    active = fields.BooleanField()

    class Meta:
        abstract = True


class Source(Model):
    """A business system that sends events. Key: the code it sends under."""

    code = fields.CharField(max_length=_LONGEST, primary_key=True)
    agency = fields.CharField(max_length=_LONGEST)
    contact = fields.CharField(max_length=_LONGEST)
    enabled = fields.BooleanField()

    class Meta:
        abstract = True


class ItemDraft(Model):
    """One version of an item (事项) as people prepare it. Unique: (item, version)."""

    id = fields.IntField(primary_key=True)
    item = fields.CharField(max_length=_LONGEST)
    version = fields.BigIntField()
    body = fields.TextField()
    state = fields.CharField(max_length=_LONGEST)
    edited_by = fields.CharField(max_length=_LONGEST)
    edited_at_us = fields.BigIntField()

    class Meta:
        abstract = True


class Person(Model):
    """Somebody who uses the node. Key: the staff number (工号), which is also the login name."""

    number = fields.CharField(max_length=_LONGEST, primary_key=True)
    name = fields.CharField(max_length=_LONGEST)
    agency = fields.CharField(max_length=_LONGEST)
    line = fields.CharField(max_length=_LONGEST)
    email = fields.CharField(max_length=_LONGEST)
    roles: fields.JSONField[list[str]] = fields.JSONField()
    password = fields.CharField(max_length=_LONGEST)
    must_change = fields.BooleanField()
    active = fields.BooleanField()
    changed_at_us = fields.BigIntField()

    class Meta:
        abstract = True


class Session(Model):
    """Somebody who came in with a password. Key: the digest of what their browser keeps."""

    digest = fields.CharField(max_length=_LONGEST, primary_key=True)
    number = fields.CharField(max_length=_LONGEST)
    csrf = fields.CharField(max_length=_LONGEST)
    begun_at_us = fields.BigIntField()
    seen_at_us = fields.BigIntField()

    class Meta:
        abstract = True


class Token(Model):
    """What a program comes in with, for a person. Key: its digest. Unique: (number, label)."""

    digest = fields.CharField(max_length=_LONGEST, primary_key=True)
    number = fields.CharField(max_length=_LONGEST)
    label = fields.CharField(max_length=_LONGEST)
    acts: fields.JSONField[list[str]] = fields.JSONField()
    made_by = fields.CharField(max_length=_LONGEST)
    made_at_us = fields.BigIntField()
    expires_at_us = fields.BigIntField()

    class Meta:
        abstract = True


class Attempt(Model):
    """Failures of an account or an address in a row. Key: which of them."""

    key = fields.CharField(max_length=_LONGEST, primary_key=True)
    failures = fields.BigIntField()
    last_at_us = fields.BigIntField()

    class Meta:
        abstract = True


class Camera(Model):
    """A camera. Key: its code, which is part of the names of its streams."""

    code = fields.CharField(max_length=_LONGEST, primary_key=True)
    body = fields.TextField()
    secret = fields.BinaryField()
    changed_at_us = fields.BigIntField()

    class Meta:
        abstract = True


class PatrolPlan(Model):
    """A plan of a video patrol. Key: its code."""

    code = fields.CharField(max_length=_LONGEST, primary_key=True)
    body = fields.TextField()
    since_us = fields.BigIntField()
    changed_by = fields.CharField(max_length=_LONGEST)
    changed_at_us = fields.BigIntField()

    class Meta:
        abstract = True


@dataclass(frozen=True, slots=True)
class Tables:
    """The classes of one dialect."""

    agency: type[Agency]
    officer: type[Officer]
    source: type[Source]
    item_draft: type[ItemDraft]
    person: type[Person]
    session: type[Session]
    token: type[Token]
    attempt: type[Attempt]
    camera: type[Camera]
    patrol_plan: type[PatrolPlan]

    @property
    def models(self) -> list[type[Model]]:
        """All of them."""
        return [
            self.agency,
            self.officer,
            self.source,
            self.item_draft,
            self.person,
            self.session,
            self.token,
            self.attempt,
            self.camera,
            self.patrol_plan,
        ]


@cache
def tables(dialect: Dialect) -> Tables:
    """The model classes that build queries for ``dialect``."""
    return Tables(
        _concrete(Agency, "agency"),
        _concrete(Officer, "officer"),
        _concrete(Source, "source"),
        _concrete(ItemDraft, "item_draft"),
        _concrete(Person, "person"),
        _concrete(Session, "session"),
        _concrete(Token, "token"),
        _concrete(Attempt, "attempt"),
        _concrete(Camera, "camera"),
        _concrete(PatrolPlan, "patrol_plan"),
    )


def _concrete(shape: type[_M], table: str) -> type[_M]:
    meta = type("Meta", (), {"table": table})
    made: type[_M] = new_class(
        shape.__name__,
        (shape,),
        exec_body=lambda body: body.update(Meta=meta, __module__=__name__, __doc__=shape.__doc__),
    )
    return made
