"""``zongheng camera …``: cameras of a node, registered, listed, tried.

A camera's password never stands on the command line: it is read from standard input.
"""

import sys
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli import footage, pictures, steering
from node.cli.app import Json, err, out, run, told
from node.cli.nodes import Folder
from node.cli.pictures import Code
from node.cli.reach import reach

camera_app = typer.Typer(no_args_is_help=True, help="Cameras: register, list, try, look.")

By = Annotated[str, typer.Option(metavar="NUMBER", help="Staff number of who does it.")]


def register(app: typer.Typer) -> None:
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
        told(answer, f"camera {code} is registered{turns} (entry {answer['index']})", as_json)
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
        told(answer, f"camera {code} is removed (entry {answer['index']})", as_json)
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


for _part in (pictures, footage, steering):
    _part.add_to(camera_app)


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
            parts = ((key, _words(each)) for key, each in value.items())
            return ", ".join(f"{key} {words}" for key, words in parts if words)
    return str(value)


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
