"""``zongheng camera …``: cameras of a node, and what they show.

A camera's password never stands on the command line: it is read from standard input.
"""

import base64
import sys
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli import steering
from node.cli.app import Json, err, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

camera_app = typer.Typer(no_args_is_help=True, help="Cameras: register, list, try, look.")

Code = Annotated[str, typer.Argument(metavar="CODE", help="The camera's code at its node.")]
By = Annotated[str, typer.Option(metavar="NUMBER", help="Staff number of who does it.")]


def register(app: typer.Typer) -> None:
    steering.add_to(camera_app)
    app.add_typer(camera_app, name="camera")


@camera_app.command("add")
def add(
    folder: Folder,
    code: Code,
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS",
            help="rtsp://HOST/PATH, file:/PATH or whip:, without a login; left out, the device of --onvif says it.",
        ),
    ] = "",
    onvif: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="HOST, HOST:PORT or http://HOST/PATH of its device: says the addresses, turns it.",
        ),
    ] = "",
    fixed: Annotated[
        bool, typer.Option("--fixed", help="Nobody is to turn it, though its device could be.")
    ] = False,
    sub: Annotated[str, typer.Option(metavar="ADDRESS", help="The camera's small stream.")] = "",
    user: Annotated[str, typer.Option(help="The login name that the camera asks for.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the camera's password from standard input.")
    ] = False,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    hall: Annotated[str, typer.Option(help="The hall it looks at.")] = "",
    window: Annotated[str, typer.Option(help="The window of the hall, where it is one.")] = "",
    agency: Annotated[str, typer.Option(help="Agency code: whose hall it is.")] = "",
    hours: Annotated[
        str, typer.Option(metavar="HH:MM-HH:MM", help="Office hours, on working days.")
    ] = "09:00-17:00",
    permit: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=A,B;…",
            help="Who may watch: role=…;agency=…;tier=…;view=main,sub,recorded,steer,export;hours=office. Repeatable; whoever fits one may.",
        ),
    ] = [],  # noqa: B006  # typer's way of a repeatable option
    mask: Annotated[
        list[str],
        typer.Option(
            metavar="L,T,W,H", help="A rectangle nobody is to see, in parts of the picture (0–1). Repeatable."
        ),
    ] = [],  # noqa: B006
    burn: Annotated[
        bool, typer.Option("--burn", help="Paint the masks over here; takes transcoding.")
    ] = False,
    transcode: Annotated[
        bool,
        typer.Option("--transcode", help="Encode again what cannot be watched as it is (a third of a core)."),
    ] = False,
    sound: Annotated[
        bool, typer.Option("--sound", help="What it hears is heard and recorded as well.")
    ] = False,
    record: Annotated[str, typer.Option(help="never, on_alert, office_hours or always.")] = "never",
    days: Annotated[int, typer.Option(help="Days that recordings are kept.")] = 30,
    before: Annotated[int, typer.Option(help="Minutes before an alert that are kept with it.")] = 5,
    snapshot_every: Annotated[
        int, typer.Option(metavar="MINUTES", help="Take a snapshot by itself so often in its hours; 0: none.")
    ] = 0,
    snapshot_days: Annotated[int, typer.Option(help="Days that these are kept.")] = 30,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Register a camera, or change the one of that code."""

    async def work() -> int:
        opens, closes = _hours(hours)
        camera = {
            "code": code, "address": address, "sub_address": sub, "onvif": onvif, "user": user, "name": name, "hall": hall,
            "window": window, "agency": agency, "opens_min": opens, "closes_min": closes,
            "permissions": [_permission(each) for each in permit], "masks": [_mask(each) for each in mask],
            "masks_burnt": burn, "transcode": transcode, "sound": sound,
            "recording": {"when": record, "days": days, "before_min": before},
            "snapshots": {"every_min": snapshot_every, "days": snapshot_days},
        }  # fmt: skip
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        async with reach(folder) as node:
            body = {"camera": camera, "password": password, "fixed": fixed, "by": by}
            answer = await node.post("/api/cameras", body)
        turns = ", and can be turned" if answer["steered"] else ""
        _told(answer, f"camera {code} is registered{turns} (entry {answer['index']})", as_json)
        if not as_json:
            for words in answer["warnings"]:
                err.print(words, highlight=False)
        return 0

    run(work)


@camera_app.command("list")
def list_cameras(
    folder: Folder,
    of: Annotated[str, typer.Option("--node", metavar="NODE", help="Of one node alone.")] = "",
    as_json: Json = False,
) -> None:
    """The cameras of this node and of those below it; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/cameras", of=of or None)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("camera", "name", "hall", "window", "state", "since", box=None, pad_edge=False)
        for one in answer:
            table.add_row(
                f"{one['node']}/{one['camera']}", one["name"], one["hall"], one["window"], one["state"],
                (one["since"] or "")[:16],
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


@camera_app.command("show")
def show(folder: Folder, code: Code, as_json: Json = False) -> None:
    """One camera of this node, with everything but its password."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(f"/api/cameras/{quote(code, safe='')}")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        for key, value in {**answer["camera"], "state": answer["state"]}.items():
            # One permission, or mask, a line.
            for one in value if isinstance(value, list) else [value]:
                if words := _words(one):
                    out.print(f"{key:<12} {words}", highlight=False)
        return 0

    run(work)


@camera_app.command("remove")
def remove(
    folder: Folder,
    code: Code,
    reason: Annotated[str, typer.Option(help="Why it goes.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Remove a camera, its password with it. What was recorded stays until its days are over."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(
                f"/api/cameras/{quote(code, safe='')}/removal", {"reason": reason, "by": by}
            )
        _told(answer, f"camera {code} is removed (entry {answer['index']})", as_json)
        return 0

    run(work)


@camera_app.command("check")
def check(
    folder: Folder,
    code: Code,
    quality: Annotated[str, typer.Option(help="main or sub.")] = "main",
    as_json: Json = False,
) -> None:
    """Reach a camera for some seconds: what it sends, and what a viewer would find wrong."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/cameras/{quote(code, safe='')}/check?quality={quote(quality)}")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        out.print(
            f"{answer['codec']} {answer['width']}x{answer['height']}, {answer['pictures_per_s']} pictures/s, "
            f"{answer['kbit_per_s']} kbit/s, a keyframe every {answer['keyframe_every_s'] or '?'} s",
            highlight=False,
        )
        for words in answer["warnings"]:
            err.print(words, highlight=False)
        return 0

    run(work)


Purpose = Annotated[str, typer.Option(help="Why you look; stands in the entry.")]


@camera_app.command("snapshot")
def snapshot(
    folder: Folder,
    camera: Annotated[str, typer.Argument(metavar="NODE/CAMERA", help="Of this node, or of any below it.")],
    into: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the JPEG.")] = Path(
        "snapshot.jpg"
    ),
    width: Annotated[int, typer.Option(help="Make it smaller to this width; 0: as it is.")] = 0,
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """One picture of a camera, now; who took it is entered at every node on the way."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post("/api/snapshots", {"stream": camera, "width": width, "purpose": purpose})
        into.write_bytes(base64.b64decode(answer.pop("jpeg")))
        _told(
            answer,
            f"{into}: {answer['width']}x{answer['height']}, taken {answer['taken_at']} (entry {answer['index']})",
            as_json,
        )
        return 0

    run(work)


@camera_app.command("snapshots")
def snapshots(
    folder: Folder,
    code: Code,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Taken from then on.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Taken until then.")] = "",
    into: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write them there; each look is an entry.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The snapshots that were taken of a camera as its setting has it; with --json one object a line."""

    async def work() -> int:
        place = f"/api/cameras/{quote(code, safe='')}/snapshots"
        async with reach(folder) as node:
            answer = await node.get(place, **{"from": since or None, "to": until or None})
            for one in answer if into is not None else ():
                assert into is not None
                into.mkdir(parents=True, exist_ok=True)
                (into / f"{one['taken_us']}.jpg").write_bytes(await node.fetch(f"{place}/{one['taken_us']}"))
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("taken", "bytes", "SHA-256", box=None, pad_edge=False)
        for one in answer:
            table.add_row((one["taken_at"] or "")[:19], str(one["bytes"]), one["sha256"])
        out.print(table)
        return 0

    run(work)


@camera_app.command("wall")
def wall(
    folder: Folder,
    of: Annotated[str, typer.Option("--node", metavar="NODE", help="Of one node and those below it.")] = "",
    trouble: Annotated[
        bool, typer.Option("--trouble", help="Only halls with a camera that does not see.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Every hall of the subtree: how its cameras are, how old its picture is, which cards stand there."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/wall", of=of or None, limit=500, trouble=trouble or None)
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        table = Table(
            "hall", "name", "camera", "state", "since", "picture", "red", "yellow", box=None, pad_edge=False
        )
        for one in answer["tiles"]:
            age = "" if one["age_s"] is None else f"{one['age_s'] // 60} min ago"
            name = " · ".join(part for part in (one["node_name"], one["hall"]) if part)
            table.add_row(
                one["node"], name, one["camera"], one["state"], (one["since"] or "")[:16], age,
                str(one["red"]), str(one["yellow"]),
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


@camera_app.command("clip")
def clip(
    folder: Folder,
    camera: Annotated[
        str, typer.Argument(metavar="CAMERA", help="Its code at this node, or NODE/CAMERA of a node below.")
    ],
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Where it begins, ISO 8601.")],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Where it ends.")],
    into: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write it; clip.mp4 or clip.webm, as it is one."),
    ] = None,
    alert: Annotated[str, typer.Option(metavar="ALERT", help="The alert it is evidence for.")] = "",
    case: Annotated[str, typer.Option(metavar="CASE", help="The case it is evidence for.")] = "",
    purpose: Purpose = "",
    as_json: Json = False,
) -> None:
    """A clip out of what a camera of this node, or of one below it, recorded, with an entry at every node on the way that names its SHA-256."""

    from federation.journal.evidence import FILE_SUFFIX
    from node.media.recording.archive import kind_of
    from node.views.evidence import KEY_SUFFIX

    async def work() -> int:
        body = {
            "camera": camera,
            "from": since,
            "to": until,
            "alert": alert,
            "case": case,
            "purpose": purpose,
        }
        async with reach(folder) as node:
            answer = await node.post("/api/clips", body)
            content = await node.fetch(f"/api/clips/{answer['sha256']}/content")
            proof = await node.get(f"/api/footage/{answer['sha256']}/evidence", index=answer["index"])
        file = into or Path(f"clip.{kind_of(content)}")
        file.write_bytes(content)
        beside = file.with_name(file.name + FILE_SUFFIX)
        beside.write_text(proof["evidence"], encoding="utf-8")
        keys = "".join(f"{key}\n" for key in (proof["verifier"], *proof["cosigners"]))
        beside.with_name(beside.name + KEY_SUFFIX).write_text(keys, encoding="utf-8")
        _told(
            answer,
            f"{file}: {answer['from']} to {answer['to']}, {answer['bytes']} bytes, SHA-256 {answer['sha256']} (entry {answer['index']})",
            as_json,
        )
        return 0

    run(work)


@camera_app.command("verify")
def verify(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A clip or a snapshot.", exists=True)],
    as_json: Json = False,
) -> None:
    """Whether a journal here names exactly this file: whose camera, which time, who took it. 1 where none does."""

    async def work() -> int:
        with file.open("rb") as content:
            digest = file_digest(content, "sha256").hexdigest()
        async with reach(folder) as node:
            found = await node.get(f"/api/footage/{digest}")
        words = f"no journal here names {file} (SHA-256 {digest}): it was changed, or taken elsewhere"
        if found["verified"]:
            words = (
                f"{found['kind']} of {found['camera']}, {found['since']} to {found['until']}, taken by {found['who']}; "
                f"entry {found['index']} of {found['node']}, {found['entered_at']}"
            )
        _told(found, words, as_json)
        return 0 if found["verified"] else 1

    run(work)


@camera_app.command("evidence")
def evidence(
    folder: Folder,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id.")],
    of: Annotated[
        str, typer.Option(metavar="NODE", help="Whose alert it is, of those below; else this node's.")
    ] = "",
    as_json: Json = False,
) -> None:
    """The cameras that saw what an alert is about, and how much of it is recorded; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get(f"/api/alerts/{quote(alert, safe='')}/cameras", of=of)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("camera", "name", "window", "from", "to", "recorded", box=None, pad_edge=False)
        for one in answer:
            table.add_row(
                one["camera"],
                one["name"],
                one["window"],
                one["since"],
                one["until"],
                f"{one['recorded_s']} s",
            )
        out.print(table)
        return 0

    run(work)


def _words(value: Any) -> str:
    """What was registered, for people; empty: nothing was."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(map(_words, value))
        case dict():
            told = ((key, _words(each)) for key, each in value.items())
            return ", ".join(f"{key} {words}" for key, words in told if words)
    return str(value)


def _told(answer: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
    else:
        out.print(words, highlight=False)


def _hours(text: str) -> tuple[int, int]:
    try:
        opens, closes = (_minutes(part) for part in text.split("-"))
    except ValueError:
        raise ZonghengError("bad_request", f"{text!r} are no hours: write 09:00-17:00") from None
    return opens, closes


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


_KEYS = {"role": "roles", "agency": "agencies", "tier": "tiers", "view": "views"}


def _permission(text: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for part in text.split(";"):
        key, _, values = part.partition("=")
        if key == "hours" and values == "office":
            made["office_hours"] = True
        elif key in _KEYS and values:
            made[_KEYS[key]] = values.split(",")
        else:
            raise ZonghengError(
                "bad_request",
                f"{part!r}: write role=…, agency=…, tier=…, view=… or hours=office, separated by ;",
            )
    return made


def _mask(text: str) -> dict[str, float]:
    try:
        left, top, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise ZonghengError("bad_request", f"{text!r} is no rectangle: write 0.1,0.2,0.3,0.4") from None
    return {"left": left, "top": top, "width": width, "height": height}
