"""``zongheng camera discover|steer``: devices around a node, and cameras that turn."""

import sys
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, err, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach


def add_to(app: typer.Typer) -> None:
    """Put these among the commands of `zongheng camera`."""
    app.command("discover")(discover)
    app.command("steer")(steer)


def discover(
    folder: Folder,
    address: Annotated[
        str, typer.Option(metavar="HOST", help="Ask this device alone: HOST, HOST:PORT or http://HOST/PATH.")
    ] = "",
    user: Annotated[str, typer.Option(help="The login name that this device asks for.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read its password from standard input.")
    ] = False,
    as_json: Json = False,
) -> None:
    """ONVIF cameras on the node's networks, and what they offer; with --json one object a line."""

    async def work() -> int:
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
        if (user or password) and not address:
            raise ZonghengError("bad_request", "a login is for one device alone: give its --address")
        body = {"address": address, "user": user, "password": password}
        async with reach(folder) as node:
            answer = await node.post("/api/cameras/discovery", body)
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        _show(answer)
        return 0

    run(work)


def _show(devices: list[dict[str, Any]]) -> None:
    if not devices:
        err.print("no device answered on the networks of this node: try --address HOST")
    for device in devices:
        name = " ".join(part for part in (device["name"], device["maker"], device["model"]) if part)
        known = f", registered as {', '.join(device['registered'])}" if device["registered"] else ""
        out.print(f"{device['host']}  {name or 'no name'}{known}\n  {device['address']}", highlight=False)
        if device["code"]:
            err.print(f"  {device['detail']}", highlight=False)
        table = Table("profile", "codec", "size", "turns", "address", box=None, pad_edge=False)
        for one in device["profiles"]:
            size = f"{one['width']}x{one['height']}" if one["width"] else ""
            table.add_row(one["name"], one["codec"], size, "yes" if one["steered"] else "", one["address"])
        if device["profiles"]:
            out.print(table)


def steer(
    folder: Folder,
    camera: Annotated[str, typer.Argument(metavar="NODE/CAMERA", help="Of this node, or of any below it.")],
    pan: Annotated[float, typer.Option(min=-1, max=1, help="Speed, -1 to 1; right is positive.")] = 0,
    tilt: Annotated[float, typer.Option(min=-1, max=1, help="Speed, -1 to 1; up is positive.")] = 0,
    zoom: Annotated[float, typer.Option(min=-1, max=1, help="Speed, -1 to 1; in is positive.")] = 0,
    seconds: Annotated[
        float, typer.Option("--for", min=0.1, max=10, metavar="SECONDS", help="It stands still after that.")
    ] = 1,
    stop: Annotated[bool, typer.Option("--stop", help="Stop whatever moves.")] = False,
    preset: Annotated[str, typer.Option(metavar="NAME", help="Go to a position that the camera keeps.")] = "",
    presets: Annotated[bool, typer.Option("--presets", help="List these positions, and who has it.")] = False,
    release: Annotated[bool, typer.Option("--release", help="Let others have it at once.")] = False,
    purpose: Annotated[str, typer.Option(help="Why you turn it; stands in the entry.")] = "",
    as_json: Json = False,
) -> None:
    """Turn a camera for some seconds; who does is entered at every node on the way."""

    async def work() -> int:
        place = f"/api/cameras/{quote(camera, safe='/')}"
        body = {
            "pan": pan, "tilt": tilt, "zoom": zoom, "seconds": seconds, "stop": stop, "preset": preset,
            "release": release, "purpose": purpose,
        }  # fmt: skip
        async with reach(folder) as node:
            answer = await (node.get(f"{place}/presets") if presets else node.post(f"{place}/steer", body))
        if as_json:
            print(orjson.dumps(answer).decode())
        elif presets:
            for name in answer["presets"]:
                out.print(name, highlight=False)
            if answer["holder"]:
                err.print(f"{answer['holder']} of {answer['holder_node']} turns it now", highlight=False)
        else:
            out.print(_WORDS[answer["did"]].format(camera=camera, seconds=seconds), highlight=False)
        return 0

    run(work)


_WORDS = {
    "move": "{camera} moves for {seconds} s",
    "stop": "{camera} stands still",
    "preset": "{camera} goes to its position",
    "release": "{camera} is let go",
}
