"""The outbox emptied: mail by SMTP, webhooks by HTTPS with a signature.

A message leaves the outbox when the other side has taken it. What fails is tried again after growing rests, from half a minute to an hour, for
seven days; then it is given up with a line in the log. Killed between sending and forgetting, the message goes out again under the same id
(``Message-ID``, ``X-Zongheng-Id``), by which the receiver tells.
"""

import asyncio
import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
import structlog

from node.config import MailSettings, WebhookSettings
from node.store.outbox import Outgoing
from node.store.store import Store
from node.wallclock import Now, instant

log = structlog.get_logger()

FIRST_REST_US: Final = 30_000_000
LONGEST_REST_US: Final = 3_600_000_000
GIVEN_UP_AFTER_US: Final = 7 * 86_400_000_000
AT_ONCE: Final = 20
"""Messages taken up together."""

_PATIENCE_S: Final = 30.0
_SIGNATURE: Final = "X-Zongheng-Signature"


class Channel(Protocol):
    """One way out of the node."""

    async def send(self, message: Outgoing, now_us: int) -> None:
        """Hand a message over; any exception means that it was not taken."""
        ...


def rest_us(attempts: int) -> int:
    """How long to rest after so many failed attempts."""
    return min(FIRST_REST_US << min(attempts, 20), LONGEST_REST_US)


class Sending:
    """Sends what is due."""

    def __init__(self, store: Store, channels: dict[str, Channel], now: Now) -> None:
        self._store = store
        self._channels = channels
        self._now = now

    async def look(self) -> int:
        """Try each message that is due once; returns how many were taken."""
        async with self._store.read() as session:
            due = await session.outbox.due(self._now(), AT_ONCE)
        taken = 0
        for message in due:
            taken += await self._try(message)
        return taken

    async def _try(self, message: Outgoing) -> bool:
        now_us = self._now()
        channel = self._channels.get(message.channel)
        try:
            if channel is None:
                raise LookupError(f"there is no channel {message.channel!r} in the settings")
            await channel.send(message, now_us)
        except Exception as error:
            given_up = now_us - message.made_at_us >= GIVEN_UP_AFTER_US
            log.warning(
                "outbox.given_up" if given_up else "outbox.failed",
                id=message.id,
                attempts=message.attempts + 1,
                error=f"{type(error).__name__}: {error}",
            )
            async with self._store.write() as session:
                if given_up:
                    await session.outbox.done(message.id)
                else:
                    await session.outbox.again(message.id, now_us + rest_us(message.attempts))
            return False
        async with self._store.write() as session:
            await session.outbox.done(message.id)
        return True


class Mail:
    """Mail through one SMTP server."""

    def __init__(self, settings: MailSettings, folder: Path, node: str) -> None:
        self._settings = settings
        self._folder = folder
        self._node = node

    async def send(self, message: Outgoing, now_us: int) -> None:
        await asyncio.to_thread(self._send, message, now_us)

    def _send(self, message: Outgoing, now_us: int) -> None:
        body: dict[str, str] = orjson.loads(message.body)
        mail = EmailMessage()
        mail["From"] = self._settings.sender
        mail["To"] = message.recipient
        mail["Subject"] = body["subject"]
        mail["Date"] = format_datetime(instant(now_us))
        mail["Message-ID"] = f"<{hashlib.sha256(message.id.encode()).hexdigest()[:40]}@{self._node}.zongheng>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(body["text"])
        host, _, port = self._settings.server.rpartition(":")
        tls = ssl.create_default_context(
            cafile=None if self._settings.authority is None else str(self._folder / self._settings.authority)
        )
        made: smtplib.SMTP
        if self._settings.tls == "tls":
            made = smtplib.SMTP_SSL(host, int(port), timeout=_PATIENCE_S, context=tls)
        else:
            made = smtplib.SMTP(host, int(port), timeout=_PATIENCE_S)
        with made as server:
            if self._settings.tls == "starttls":
                server.starttls(context=tls)
            if self._settings.user is not None and self._settings.password_file is not None:
                server.login(self._settings.user, _secret(self._folder / self._settings.password_file))
            server.send_message(mail)


class Webhook:
    """POSTs to the addresses that the settings name, each with a signature under its own secret.

    The signature is ``t=<seconds since the epoch>,v1=<hex>``: HMAC-SHA-256 under the secret over ``<t>.<body>``. Nothing is followed and
    no proxy of the environment used: the address in the settings is the address that gets it.
    """

    def __init__(self, hooks: Sequence[WebhookSettings], folder: Path) -> None:
        self._hooks = {hook.name: hook for hook in hooks}
        self._folder = folder
        self._clients: dict[str, Any] = {}

    async def send(self, message: Outgoing, now_us: int) -> None:
        # Most nodes reach nobody: they need not carry the client library.
        import httpx

        hook = self._hooks[message.recipient]
        client = self._clients.get(hook.name)
        if client is None:
            client = self._clients[hook.name] = httpx.AsyncClient(
                timeout=_PATIENCE_S,
                trust_env=False,
                follow_redirects=False,
                verify=_verifying(hook, self._folder),
            )
        body = message.body.encode()
        headers = {
            "Content-Type": "application/json",
            "X-Zongheng-Id": message.id,
            _SIGNATURE: signature(_secret(self._folder / hook.secret_file), body, now_us // 1_000_000),
        }
        answer = await client.post(hook.url, content=body, headers=headers)
        if not answer.is_success:
            raise ConnectionError(f"{hook.name} answers {answer.status_code}")

    async def close(self) -> None:
        """Let go of connections."""
        for client in self._clients.values():
            await client.aclose()


def signature(secret: str, body: bytes, at_s: int) -> str:
    """What a webhook's receiver checks."""
    told = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={told}"


def _verifying(hook: WebhookSettings, folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if hook.authority is None else str(folder / hook.authority))


def _secret(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
