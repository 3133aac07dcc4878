"""What of a node listens, and what goes on by itself while it serves.

Everything that runs lives in one task group: when a part fails in a way it does not handle itself, the node stops as a whole, cleanly, with that
error, and its supervisor (systemd, the demo) starts it again from what is durable. What looks after alerts, reports and mail is no ground for
that: it logs what failed and tries again.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
import psutil
import structlog
from zongheng.v1.intake_pb2_grpc import add_IntakeServiceServicer_to_server

from federation.files.servicer import FileDesk
from federation.identity.credentials import MutualTls
from federation.identity.enrolment import ENROLMENT_OPTIONS, Enrolment
from federation.link.channel import PARENT_OPTIONS
from node import control
from node.alerting.alerting import LOOK_S
from node.settling import SERVING, settle_memory
from node.web.server import serve_http

if TYPE_CHECKING:
    from node.run import Node
    from node.views.report import ReportView

log = structlog.get_logger()

_FAREWELL_S: Final = 2.0
"""How long saying goodbye to the parent may take."""


async def serve(node: "Node", stop: asyncio.Event) -> None:
    """Serve until ``stop`` or ``node.ending`` is set, then say goodbye and stop."""
    node.serving = True
    try:
        async with _ports(node):
            if node.settings.parent is not None:
                node.writer.hold()  # until the parent was asked, or cannot be
            async with asyncio.TaskGroup() as group:
                dialling = group.create_task(node.link.run(), name="dialler")
                tasks = [group.create_task(_end_with(node, stop), name="end"), dialling]
                tasks += [group.create_task(work(), name=name) for name, work in _works(node).items()]
                async with serve_http(node):
                    settle_memory(SERVING)
                    node.ready = True
                    node.start_s = time.time() - psutil.Process().create_time()
                    log.info(
                        "node.ready", node=node.settings.node, tier=node.settings.tier, grpc=node.settings.grpc,
                        http=node.settings.http, start_s=round(node.start_s, 2),
                    )  # fmt: skip
                    await node.ending.wait()
                log.info("node.stopping", node=node.settings.node)
                node.listener.close()
                node.link.leave()
                await asyncio.wait([dialling], timeout=_FAREWELL_S)
                for task in tasks:
                    task.cancel()
    finally:
        node.serving = node.ready = False


@contextlib.asynccontextmanager
async def _ports(node: "Node") -> AsyncIterator[None]:
    """The gRPC ports: children's links, enrolment, and the door for events in the node's folder."""
    links, doors = grpc.aio.server(options=PARENT_OPTIONS), grpc.aio.server(options=PARENT_OPTIONS)
    enrolments = grpc.aio.server(options=ENROLMENT_OPTIONS)
    node.listener.add_to(links)
    node.down.add_to(links)
    FileDesk(node.listener, node.files_below, node.register.caller).add_to(links)
    node.mending.add_to(links)
    node.media.service.add_to(links)
    add_IntakeServiceServicer_to_server(node.intake, doors)
    Enrolment(node.register).add_to(enrolments)
    credentials = MutualTls(lambda: node.keyring.identity)
    credentials.server_port(links, node.settings.grpc)
    credentials.enrolment_port(enrolments, node.settings.enrolment_address)
    with control.short_path(node.folder, control.INTAKE) as intake_path:
        with contextlib.suppress(FileNotFoundError):
            (node.folder / control.INTAKE).unlink()
        doors.add_insecure_port(f"unix:{intake_path}")
        for server in (links, enrolments, doors):
            await server.start()
        (node.folder / control.INTAKE).chmod(0o600)
        try:
            yield
        finally:
            for server in (doors, enrolments, links):
                await server.stop(1.0)


Work = Callable[[], Coroutine[Any, Any, None]]


def _works(node: "Node") -> dict[str, Work]:
    """What goes on by itself, by name."""
    works: dict[str, Work] = {
        "projector": node.projector.run,
        "alerting": lambda: _look_after_alerts(node),
        "heads": lambda: _watch_heads(node),
        "backups": node.backups.run,
        "words": node.own_words.run,
        "letters": node.letters.run,
        "ticks": node.ticking.run,
        "renewals": node.renewal.run,
        "certificates": node.joining.run,
        "desk": node.desk.run,
        "matching": node.matching.run,
        "live": node.live.run,
        "media": node.media.run,
        "webrtc": node.webrtc.run,
        "handed on": node.handed_on.run,
        "cameras": node.care.run,
        "steering": node.steering.run,
        "meetings": node.meetings.run,
        "seats": node.put_out.run,
        "help calls": node.reporting.run,
    }
    if node.alerting.telling.wanted:
        works["sending"] = lambda: _send_out(node)
    if node.settings.reports.periods:
        works["reports"] = lambda: _file_reports(node)
    return works


async def _end_with(node: "Node", stop: asyncio.Event) -> None:
    await stop.wait()
    node.ending.set()


async def _look_after_alerts(node: "Node") -> None:
    """Let alerts take their course: what fails is logged and comes again."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            if not node.projector.rebuilding:
                tells = node.settings.mail is not None and node.login_required
                await node.alerting.look(await node.people() if tells else None)
        except Exception:
            log.exception("alerting.failed", instruction="it is tried again by itself")


async def _send_out(node: "Node") -> None:
    """Empty the outbox, beside everything else: a mail server that hangs holds nothing up."""
    try:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await node.alerting.sending.look()
            except Exception:
                log.exception("sending.failed", instruction="it is tried again by itself")
    finally:
        await node.alerting.close()


async def _file_reports(node: "Node") -> None:
    """Make the reports that the settings ask for. Loaded only where they do."""
    from node.schedule.reports import ReportSchedule
    from node.views.report import report

    async def compiled(kind: str, of: str) -> "ReportView":
        return await report(node, kind, of, "")

    schedule = ReportSchedule(
        node.folder, node.settings, node.store, node.writer, node.write_entries, compiled, node.now
    )
    await schedule.run()


async def _watch_heads(node: "Node") -> None:
    size = node.writer.size
    while True:
        size = await node.writer.wait_beyond(size)
        node.figures.changed_here()
