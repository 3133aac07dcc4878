"""People are told by mail, programs by webhook: a real SMTP server, a real HTTP receiver, and what holds when either fails or we die."""

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from pydantic import ValidationError

from node.alerting.sending import (
    FIRST_REST_US,
    GIVEN_UP_AFTER_US,
    LONGEST_REST_US,
    Channel,
    Mail,
    Sending,
    Webhook,
    rest_us,
)
from node.alerting.telling import Telling
from node.config import MailSettings, WebhookSettings
from node.store.outbox import Outgoing
from tests.unit.alerting.conftest import Alerted
from tests.unit.people.conftest import CODE, House


@dataclass
class MailServer:
    """A mail server that keeps what it takes; ``answer`` is what it says to a message."""

    port: int = 0
    answer: str = "250 OK"
    taken: list[Any] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    kept = MailServer()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(kept, hostname="mail.example"), "127.0.0.1", 0
    )
    kept.port = server.sockets[0].getsockname()[1]
    yield kept
    server.close()
    await server.wait_closed()


@dataclass
class Receiver:
    """A program that is told; it answers ``status``."""

    url: str = ""
    status: int = 204
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/alerts"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


class Teller:
    """The telling and the sending of one node."""

    def __init__(
        self, house: House, folder: Path, mail: MailServer | None, receiver: Receiver | None
    ) -> None:
        hooks = []
        channels: dict[str, Channel] = {}
        if receiver is not None:
            (folder / "hook.secret").write_text("a secret\n", encoding="utf-8")
            hooks = [WebhookSettings(name="oa", url=receiver.url, secret_file="hook.secret")]
            self.webhook = Webhook(hooks, folder)
            channels["webhook"] = self.webhook
        if mail is not None:
            settings = MailSettings(server=f"127.0.0.1:{mail.port}", sender="zh@county.example", tls="none")
            channels["mail"] = Mail(settings, folder, CODE)
        node = house.node
        self.house = house
        self.telling = Telling(
            node.store, node.contexts, CODE, "霁川县", "Asia/Shanghai", mail is not None, hooks, house.clock
        )
        self.sending = Sending(node.store, channels, house.clock)

    async def tell(self) -> int:
        await self.house.node.projector.settled()
        return await self.telling.look(await self.house.node.people())

    async def waiting(self) -> list[Outgoing]:
        async with self.house.node.store.read() as session:
            return await session.outbox.due(1 << 60, 1_000)


async def with_mail(alerted: Alerted, *numbers: str) -> None:
    people = await alerted.house.node.people()
    from dataclasses import replace

    for number in numbers:
        await people.accounts.rows.change(
            number, lambda account: replace(account, email=f"{account.number}@county.example")
        )


async def test_each_gets_one_mail_about_what_concerns_them(
    alerted: Alerted, mail_server: MailServer, tmp_path: Path
) -> None:
    teller = Teller(alerted.house, tmp_path, mail_server, None)
    await with_mail(alerted, "1001", "b1", "l1")
    assert await teller.tell() == 0, "what was there before is old news"
    card = await alerted.issued()
    await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "停电"})
    assert await teller.tell() == 3
    assert await teller.tell() == 0
    assert await teller.sending.look() == 3
    assert await teller.waiting() == []
    by_recipient = {mail["To"]: mail for mail in mail_server.taken}
    assert set(by_recipient) == {"1001@county.example", "b1@county.example", "l1@county.example"}
    officer = by_recipient["1001@county.example"].get_content()
    assert (card in officer, "红牌 已发出" in officer, "已说明" in officer) == (True, True, False)
    bureau = by_recipient["b1@county.example"]
    assert "已说明" in bureau.get_content()
    assert "依据政策第1版" in officer
    assert bureau["Subject"] == "【霁川县】电子监察：2 条预警动态，最高红牌"
    assert bureau["Message-ID"].endswith(f"@{CODE}.zongheng>")


async def test_a_server_that_refuses_gets_it_later_and_under_the_same_id(
    alerted: Alerted, mail_server: MailServer, tmp_path: Path
) -> None:
    teller = Teller(alerted.house, tmp_path, mail_server, None)
    await with_mail(alerted, "b1")
    await teller.tell()
    await alerted.issued()
    await teller.tell()
    mail_server.answer = "451 busy"
    assert await teller.sending.look() == 0
    (waiting,) = await teller.waiting()
    assert (waiting.attempts, waiting.next_at_us) == (1, alerted.house.clock() + FIRST_REST_US)
    assert await teller.sending.look() == 0, "it rests first"
    assert (await teller.waiting())[0].attempts == 1
    mail_server.answer = "250 OK"
    alerted.house.clock.go(seconds=30)
    assert await teller.sending.look() == 1
    assert len(mail_server.taken) == 1
    assert [rest_us(attempts) for attempts in (0, 1, 2)] == [FIRST_REST_US << n for n in range(3)]
    assert rest_us(60) == LONGEST_REST_US


async def test_killed_between_sending_and_forgetting_it_goes_out_again_under_the_same_id(
    alerted: Alerted, receiver: Receiver, tmp_path: Path
) -> None:
    teller = Teller(alerted.house, tmp_path, None, receiver)
    await teller.tell()
    await alerted.issued()
    await teller.tell()
    (message,) = await teller.waiting()
    # The receiver has it; we died before we could forget it.
    await teller.webhook.send(message, alerted.house.clock())
    assert await teller.sending.look() == 1
    first, second = receiver.calls
    assert first[0]["x-zongheng-id"] == second[0]["x-zongheng-id"] == message.id
    assert first[1] == second[1]
    assert await teller.waiting() == []
    await teller.webhook.close()


async def test_a_webhook_is_signed_and_carries_every_step(
    alerted: Alerted, receiver: Receiver, tmp_path: Path
) -> None:
    teller = Teller(alerted.house, tmp_path, None, receiver)
    await teller.tell()
    card = await alerted.issued()
    await alerted.officer.post(f"/api/alerts/{card}/explanation", {"reason": "停电"})
    await teller.tell()
    receiver.status = 500
    assert await teller.sending.look() == 0
    receiver.status = 204
    alerted.house.clock.go(minutes=1)
    assert await teller.sending.look() == 1
    headers, body = receiver.calls[-1]
    told = dict(part.split("=") for part in headers["x-zongheng-signature"].split(","))
    expected = hmac.new(b"a secret", told["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert told["v1"] == expected
    assert int(told["t"]) == alerted.house.clock() // 1_000_000
    events = json.loads(body)["events"]
    assert [(one["alert_id"], one["state"], one["by"]) for one in events] == [
        (card, "issued", "b1"), (card, "explained", "1001"),
    ]  # fmt: skip
    assert len({one["id"] for one in events}) == 2
    assert {(one["policy_version"], one["mandates"]) for one in events} == {(1, "")}
    await teller.webhook.close()


async def test_what_nobody_takes_for_a_week_is_given_up(
    alerted: Alerted, receiver: Receiver, tmp_path: Path
) -> None:
    teller = Teller(alerted.house, tmp_path, None, receiver)
    await teller.tell()
    await alerted.issued()
    await teller.tell()
    receiver.status = 404
    alerted.house.clock.go(seconds=GIVEN_UP_AFTER_US / 1e6 - 1)
    await teller.sending.look()
    assert len(await teller.waiting()) == 1
    alerted.house.clock.go(days=1)
    await teller.sending.look()
    assert await teller.waiting() == []
    await teller.webhook.close()


def test_nothing_leaves_this_machine_unencrypted() -> None:
    MailSettings(server="127.0.0.1:25", sender="a@b.example", tls="none")
    WebhookSettings(name="x", url="http://127.0.0.1:1/", secret_file="s")
    with pytest.raises(ValidationError, match="loopback"):
        MailSettings(server="mail.example:25", sender="a@b.example", tls="none")
    with pytest.raises(ValidationError, match="https"):
        WebhookSettings(name="x", url="http://oa.example/", secret_file="s")
