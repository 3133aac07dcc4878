"""The settings of one node: ``node.toml`` in its folder, written by ``zongheng init`` and read by everything else.

Guarantees: a folder is initialised once and as a whole (settings are written last, by rename), unknown keys are
refused with their name, and keys never leave the folder (mode 0700, key files 0600).
"""

import ipaddress
import os
import secrets
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from federation.errors import ZonghengError
from federation.identity.credentials import is_loopback
from federation.identity.names import DEPARTMENT, Name
from federation.journal.checkpoint import Signer, log_id
from tiers.division import Division, MalformedDivision
from tiers.tier import UnknownTier, tier_named

SETTINGS_FILE = "node.toml"


def _address(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return text


Address = Annotated[str, AfterValidator(_address)]


class ClockSettings(BaseModel):
    """When the node's clock starts, for demos and tests; absent: the system clock."""

    model_config = ConfigDict(extra="forbid")
    start: datetime | None = None
    since: datetime | None = None
    """When, by the system clock, it read `start`, so that nodes share one clock and a restart goes on with it; absent: each time the
    node starts."""


class HttpsSettings(BaseModel):
    """HTTPS on the HTTP address, also on loopback. Away from loopback there is nothing else, with or without this."""

    model_config = ConfigDict(extra="forbid")
    certificate: str | None = None
    """PEM file, relative to the node's folder or absolute; absent: the node makes a certificate of its own."""
    key: str | None = None
    """PEM file of its private key."""
    names: tuple[str, ...] = ()
    """Further names and addresses that the node's own certificate is good for."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("give certificate and key, or neither")
        return self


class MailSettings(BaseModel):
    """The mail server through which people are told."""

    model_config = ConfigDict(extra="forbid")
    server: Address
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    """The address that mail comes from."""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    authority: str | None = None
    """PEM file of who vouches for the server; absent: this machine's own list."""
    user: str | None = None
    password_file: str | None = None
    """File in the node's folder that holds the password."""

    @model_validator(mode="after")
    def _encrypted_away_from_here(self) -> Self:
        if self.tls == "none" and not is_loopback(self.server):
            raise ValueError('tls = "none" is for a server on loopback only')
        return self


class WebhookSettings(BaseModel):
    """A program that is told of every step of every alert."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    secret_file: str
    """File in the node's folder that holds the secret under which calls are signed."""
    authority: str | None = None
    """PEM file of who vouches for it; absent: this machine's own list."""

    @model_validator(mode="after")
    def _encrypted_away_from_here(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(f"{parts.hostname}:{parts.port or 80}"):
            raise ValueError("http:// is for a receiver on loopback only: give an https:// address")
        return self


class ReportSettings(BaseModel):
    """The reports that the node makes by itself, and what it draws pages with."""

    model_config = ConfigDict(extra="forbid")
    periods: tuple[Literal["day", "week", "month"], ...] = ()
    """Of which periods; none: no report is made by itself."""
    formats: tuple[Literal["xlsx", "pdf"], ...] = ("xlsx", "pdf")
    hour: Annotated[int, Field(ge=0, le=23)] = 6
    """The hour of the day after a period, in the node's zone, from which its report is made: what is below has reported by then."""
    font: str = ""
    """Path of a TrueType font with Chinese letters; absent: one that this machine has."""


class WebRtcSettings(BaseModel):
    """Live pictures in browsers and other players."""

    model_config = ConfigDict(extra="forbid")
    addresses: tuple[str, ...] = ()
    """Addresses of this machine that players are told to send to; none: the one that `http` names, or where that is every address or a
    name, all but loopback."""
    ports: Annotated[str, Field(pattern=r"^(\d{4,5}-\d{4,5})?$")] = ""
    """UDP ports that players send to, as a firewall lets them through: `40000-40199`, one for each session and address; empty: whichever the system gives."""
    viewers: Annotated[int, Field(ge=1, le=5_000)] = 400
    """How many may watch and publish at once through one process; one core serves some hundreds of 1.5 Mb/s."""
    workers: Annotated[int, Field(ge=0, le=32)] = 0
    """Processes for those who watch, beside the media worker, which then has only cameras, publishers and other nodes to serve; at most as many as the machine has further cores. None: it serves those who watch as well."""

    @property
    def port_range(self) -> range | None:
        """The ports; None: whichever the system gives."""
        if not self.ports:
            return None
        first, last = (int(port) for port in self.ports.split("-"))
        return range(first, last + 1)

    @field_validator("ports")
    @classmethod
    def _forward(cls, ports: str) -> str:
        if ports:
            first, last = (int(port) for port in ports.split("-"))
            if not 1_024 <= first <= last <= 65_535:
                raise ValueError(
                    f"{ports!r} is no range of ports: write the first, then the last, from 1024 to 65535"
                )
        return ports


class CallSettings(BaseModel):
    """Help calls."""

    model_config = ConfigDict(extra="forbid")
    answer_s: Annotated[float, Field(ge=0, le=3_600)] = 60.0
    """Seconds after which a help call that nobody answers here rings at the parent too."""
    ring_s: Annotated[float, Field(ge=10, le=3_600)] = 300.0
    """Seconds for which a help call rings here."""


class NodeSettings(BaseSettings):
    """What ``node.toml`` says; every key can be overridden by an environment variable ``ZONGHENG_<KEY>``."""

    model_config = SettingsConfigDict(extra="forbid", env_prefix="ZONGHENG_", env_nested_delimiter="__")

    node: str
    tier: str
    name: str
    division: str
    log_id: str
    parent: Address | None = None
    """The parent's link; set by ``zongheng join``, like ``parent_enrolment``."""
    parent_enrolment: Address | None = None
    grpc: Address
    http: Address
    enrolment: Address | None = None
    """Where children enrol and renew; absent: a hundred ports above ``grpc``."""
    media: Address | None = None
    """Where children's pictures and sound come in while somebody watches; absent: two hundred ports above ``grpc``."""
    certificate_days: Annotated[float, Field(gt=0, le=3_650)] = 90.0
    """How long certificates hold that this node gives its children."""
    renew_from_day: Annotated[float, Field(gt=0, le=3_650)] = 30.0
    """Age at which this node has its own certificates renewed; with short ones from a third of their life."""
    store: str = "store.sqlite"
    zone: str = "Asia/Shanghai"
    calendar: Literal["china", "weekdays"] = "china"
    clock: ClockSettings = ClockSettings()
    https: HttpsSettings | None = None
    mail: MailSettings | None = None
    webhooks: tuple[WebhookSettings, ...] = ()
    reports: ReportSettings = ReportSettings()
    confirm: bool = True
    """Yellow and red cards wait for a person's confirmation before they are issued."""
    review_items: bool = False
    """Items of this node are published once legal review passed them, and in no other way."""
    webrtc: WebRtcSettings = WebRtcSettings()
    calls: CallSettings = CallSettings()
    portal: bool = False
    """This node serves the public portal: files that are disclosed at nodes below come here and go no further."""
    files_budget_mb: Annotated[int, Field(ge=0)] = 4_096
    """Megabytes that files may take on this node's disk, parts included; what only passes is shed first."""
    recordings_budget_mb: Annotated[int, Field(ge=0)] = 51_200
    """Megabytes that recordings of cameras may take on this node's disk; the oldest are shed first."""
    snapshots_budget_mb: Annotated[int, Field(ge=0)] = 2_048
    """Megabytes that snapshots taken by themselves may take on this node's disk; the oldest are shed first."""
    recording_file_s: Annotated[float, Field(ge=2, le=3_600)] = 60.0
    """Seconds of a camera that one file of its recording holds; what is being written cannot be played or cut yet."""
    disk_reserve_mb: Annotated[int, Field(ge=0)] = 256
    """Megabytes of the disk that files and recordings leave to the journal."""
    backup_every_h: Annotated[float, Field(ge=0)] = 24.0
    """Hours between two backups to the parent, once there is a recovery key; 0: none by itself."""
    longest_rest_s: Annotated[float, Field(ge=0.1, le=3_600)] = 60.0
    """Longest rest, in seconds, between two attempts to reach the parent. Short ones suit a line of few nodes only: a parent with
    a thousand children needs them to come back spread out."""

    @property
    def enrolment_address(self) -> str:
        """Where children enrol and renew."""
        if self.enrolment is not None:
            return self.enrolment
        return self._beside_grpc(100)

    @property
    def media_address(self) -> str:
        """Where children's media workers dial in."""
        return self.media if self.media is not None else self._beside_grpc(200)

    def _beside_grpc(self, ports: int) -> str:
        host, _, port = self.grpc.rpartition(":")
        return f"{host}:{int(port) + ports if int(port) + ports <= 65_535 else int(port) - ports}"

    @property
    def ice_addresses(self) -> tuple[str, ...] | None:
        """Addresses that players are told to send to; None: all but loopback."""
        if self.webrtc.addresses:
            return self.webrtc.addresses
        host = self.http.rpartition(":")[0].strip("[]")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return None
        return None if address.is_unspecified else (str(address),)

    @property
    def kind(self) -> str:
        """The tier; of a node that an agency runs below the node of its tier, `department`."""
        return DEPARTMENT if "." in self.node else self.tier

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def load(folder: Path) -> NodeSettings:
    """The settings of the node in ``folder``; ``ZonghengError`` with what to do when there is none or it is wrong."""
    path = folder / SETTINGS_FILE
    if not path.is_file():
        raise ZonghengError(
            "not_found",
            f"{folder} holds no node: run `zongheng init {folder} --tier … --name … --division …`",
        )
    try:

        class Here(NodeSettings):
            model_config = SettingsConfigDict(
                extra="forbid", env_prefix="ZONGHENG_", env_nested_delimiter="__", toml_file=path
            )

        return Here()  # type: ignore[call-arg]  # every field comes from the file
    except tomllib.TOMLDecodeError as error:
        raise ZonghengError("bad_request", f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ZonghengError("bad_request", f"{path}: {faults}") from error


def initialise(
    folder: Path,
    *,
    tier: str,
    name: str,
    division: str,
    agency: str | None = None,
    grpc: str | None,
    http: str | None,
    enrolment: str | None = None,
    media: str | None = None,
    zone: str = "Asia/Shanghai",
    calendar: str = "china",
    clock_start: datetime | None = None,
    clock_since: datetime | None = None,
    store: str | None = None,
    confirm: bool = True,
) -> NodeSettings:
    """Make a node's folder: keys, then settings; refuses a folder that already holds a node.

    With ``agency`` it is that agency's own node, a department below the node of ``division``.
    """
    try:
        tier = tier_named(tier)
        rank, division = tier.rank, Division(division).node_id
        node = division
        if agency is not None:
            node = Name.root(tier, division).child(DEPARTMENT, f"{division}.{agency}").node
    except (UnknownTier, MalformedDivision) as error:
        raise ZonghengError("bad_request", str(error)) from error
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    if (folder / SETTINGS_FILE).exists():
        raise ZonghengError("bad_request", f"{folder} already holds a node: choose another folder")
    journal = log_id(node, secrets.token_hex(4))
    fields: dict[str, str] = {
        "node": node,
        "tier": tier,
        "name": name,
        "division": division,
        "log_id": journal,
        "grpc": grpc or f"127.0.0.1:{7400 + rank}",
        "http": http or f"127.0.0.1:{8400 + rank}",
        "store": store or "store.sqlite",
        "zone": zone,
        "calendar": calendar,
    }
    if enrolment is not None:
        fields["enrolment"] = enrolment
    if media is not None:
        fields["media"] = media
    lines = [f"{key} = {_toml(value)}" for key, value in fields.items()]
    lines.append(f"confirm = {'true' if confirm else 'false'}")
    if clock_start is not None:
        lines += ["", "[clock]", f"start = {_toml(clock_start.isoformat())}"]
        lines += [] if clock_since is None else [f"since = {_toml(clock_since.isoformat())}"]
    try:
        settings = NodeSettings(
            **fields,  # type: ignore[arg-type]
            clock=ClockSettings(start=clock_start, since=clock_since),
            confirm=confirm,
        )
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ZonghengError("bad_request", faults) from error
    keys = folder / "keys"
    keys.mkdir(exist_ok=True, mode=0o700)
    write_secret(keys / "journal.key", Signer.generate(journal).to_bytes())
    write_secret(keys / "vault.key", secrets.token_bytes(32))
    replace(folder / SETTINGS_FILE, ("\n".join(lines) + "\n").encode())
    return settings


def set_parent(folder: Path, parent: str, enrolment: str) -> None:
    """Write down where the parent is; everything else in the file stays as its owner wrote it."""
    path = folder / SETTINGS_FILE
    text = overridden(path.read_text(encoding="utf-8"), {"parent": parent, "parent_enrolment": enrolment})
    replace(path, text.encode())


def overridden(text: str, settings: Mapping[str, str]) -> str:
    """The text of a settings file with other values for some of its first keys; everything else as its owner wrote it."""
    lines = text.splitlines()
    sections = [at for at, line in enumerate(lines) if line.lstrip().startswith("[")]
    end = sections[0] if sections else len(lines)
    kept = [line for line in lines[:end] if line.partition("=")[0].strip() not in settings]
    fresh = [f"{key} = {_toml(value)}" for key, value in settings.items()]
    return "\n".join([*fresh, *kept, *lines[end:]]) + "\n"


def journal_signer(folder: Path, settings: NodeSettings) -> Signer:
    """The key that signs this node's heads."""
    return Signer.from_bytes(settings.log_id, read_secret(folder / "keys" / "journal.key"))


def vault_key(folder: Path) -> bytes:
    """The 32 bytes under which the vault seals persons and texts."""
    return read_secret(folder / "keys" / "vault.key")


def read_secret(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ZonghengError("not_found", f"{path} is missing: restore it from the node's backup") from error


def write_secret(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes) -> None:
    """Put a file in place as a whole: whoever reads finds the one before or this one, also after a crash."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def _toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
