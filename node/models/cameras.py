"""Cameras of a node as they are registered: what people fill in, and the rows it is kept in.

The password of a camera is in no form that is shown again: it is sealed under the vault's key, for its camera alone, and lies beside the form.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator
from tortoise.backends.base.client import BaseDBAsyncClient

from federation.errors import ZonghengError
from federation.trunk.frame import SEATS
from node.models.forms import Code, Form
from node.models.registry import Registry
from node.people.caller import OPERATOR_NAME
from node.people.roles import Role
from tiers.tier import Tier

CameraCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$")]
"""Part of the names of its streams."""

Minutes = Annotated[int, Field(ge=0, le=1_440)]
Part = Annotated[float, Field(ge=0, le=1)]

Recorded = Literal["never", "on_alert", "office_hours", "always"]

WHIP = "whip:"
"""Address of a camera that is a browser or a phone: it comes to the node by itself."""


class MaskForm(Form):
    """A rectangle that nobody is to see, as parts of the picture's width and height, from its upper left corner."""

    left: Part
    top: Part
    width: Part
    height: Part


class PermissionForm(Form):
    """Whoever fits all of it may watch; what is empty fits everybody, but steering has to be named."""

    roles: tuple[str, ...] = ()
    agencies: tuple[Code, ...] = ()
    tiers: tuple[str, ...] = ()
    office_hours: bool = False
    views: tuple[Literal["main", "sub", "recorded", "steer", "export"], ...] = ()

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        known = {*Role, OPERATOR_NAME}
        for role in roles:
            if role not in known:
                raise ValueError(f"there is no role {role!r}: {', '.join(sorted(known))}")
        return roles

    @field_validator("tiers")
    @classmethod
    def _known_tiers(cls, tiers: tuple[str, ...]) -> tuple[str, ...]:
        for tier in tiers:
            if tier not in {*Tier, "department"}:
                raise ValueError(f"there is no tier {tier!r}: {', '.join(Tier)}, department")
        return tiers


class RecordingForm(Form):
    """What is recorded, and for how long it is kept."""

    when: Recorded = "never"
    days: Annotated[int, Field(ge=1, le=365)] = 30
    before_min: Annotated[int, Field(ge=0, le=60)] = 5
    """Minutes before an alert that are kept with it."""


class SnapshotsForm(Form):
    """Snapshots that are taken by themselves."""

    every_min: Annotated[int, Field(ge=0, le=1_440)] = 0
    """Minutes between two, in its office hours; 0: none."""
    days: Annotated[int, Field(ge=1, le=365)] = 30
    """How long they are kept."""


class CameraForm(Form):
    """A camera."""

    code: CameraCode
    name: str = Field(default="", max_length=200)
    hall: str = Field(default="", max_length=200)
    window: str = Field(default="", max_length=200)
    """A window of the hall that it looks at; empty: no single one."""
    agency: str = Field(default="", max_length=200)
    """Whose hall it is; empty: the node's own."""
    address: str = ""
    """`rtsp://host/path`, `file:/path`, or `whip:`; without name and password."""
    sub_address: str = ""
    """The camera's small stream; empty: it has none."""
    user: str = Field(default="", max_length=200)
    onvif: str = Field(default="", max_length=500)
    """Address of its ONVIF service; empty: it is not asked over ONVIF."""
    ptz_profile: str = Field(default="", max_length=200)
    """The device's profile by which it is steered; empty: it is fixed, or nobody is to turn it."""
    transcode: bool = False
    sound: bool = False
    """What it hears is carried and recorded as well."""
    opens_min: Minutes = 9 * 60
    closes_min: Minutes = 17 * 60
    permissions: tuple[PermissionForm, ...] = ()
    masks: tuple[MaskForm, ...] = ()
    masks_burnt: bool = False
    recording: RecordingForm = RecordingForm()
    snapshots: SnapshotsForm = SnapshotsForm()

    @field_validator("code")
    @classmethod
    def _is_no_seat(cls, code: str) -> str:
        if code.startswith(SEATS):
            raise ValueError(f"{SEATS}… names seats in meetings: choose another code")
        return code

    @field_validator("address", "sub_address")
    @classmethod
    def _without_a_login(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and parts.scheme not in ("rtsp", "rtsps", "file", "whip"):
            raise ValueError("give rtsp://host/path, file:/path or whip:")
        if parts.username or parts.password:
            raise ValueError("name and password do not belong in the address: give them apart")
        if parts.scheme in ("rtsp", "rtsps") and not parts.hostname:
            raise ValueError("it names no host")
        if parts.scheme == "file" and not parts.path.startswith("/"):
            raise ValueError("a file is named by its whole path")
        return address

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "CameraForm":
        if self.opens_min >= self.closes_min:
            raise ValueError("it has to open before it closes")
        if not self.address and not self.onvif:
            raise ValueError("say where the camera is: its address")
        return self

    @model_validator(mode="after")
    def _steered_without_masks(self) -> "CameraForm":
        if self.ptz_profile and not self.onvif:
            raise ValueError("a camera is steered over ONVIF: give its address there")
        if self.ptz_profile and self.masks:
            raise ValueError(
                "a camera that turns shows elsewhere what its masks cover here: register it as fixed, or set the masks in the camera, which moves them along"
            )
        return self

    @property
    def steered(self) -> bool:
        """It turns, and people may turn it."""
        return bool(self.ptz_profile)

    @property
    def kind(self) -> str:
        """`rtsp`, `file` or `whip`."""
        return urlsplit(self.address).scheme.removesuffix("s")


class CameraRows:
    """The rows of one registry. A secret is opaque here: sealed under the vault's key."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._table = registry.tables.camera

    async def all(self) -> list[tuple[CameraForm, bytes]]:
        """Every camera with its sealed password (empty: none), by code."""
        rows = await self._registry.transact(lambda tx: self._table.all(using_db=tx).order_by("code"))
        return [(CameraForm.model_validate_json(row.body), bytes(row.secret)) for row in rows]

    async def get(self, code: str) -> tuple[CameraForm, bytes]:
        """One of them; ZonghengError `not_found`."""
        row = await self._registry.transact(lambda tx: self._table.get_or_none(code=code, using_db=tx))
        if row is None:
            raise ZonghengError("not_found", f"there is no camera {code} here: see `zongheng camera list`")
        return CameraForm.model_validate_json(row.body), bytes(row.secret)

    async def put(self, form: CameraForm, secret: bytes, at_us: int) -> None:
        """Add a camera, or replace the one of its code."""

        async def put(tx: BaseDBAsyncClient) -> None:
            await self._table.update_or_create(
                defaults={"body": form.model_dump_json(), "secret": secret, "changed_at_us": at_us},
                using_db=tx,
                code=form.code,
            )

        await self._registry.transact(put)

    async def remove(self, code: str) -> None:
        """Forget a camera and its password; nothing happens when there is none."""
        await self._registry.transact(lambda tx: self._table.filter(code=code).using_db(tx).delete())
