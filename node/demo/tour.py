"""What the demo shows at a terminal: what it planted and found, and six things to try while the nodes run."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from node.demo.camera import hang
from node.demo.expected import CASE, TIER
from node.demo.faults import SLOW_DESK
from node.demo.federation import Federation, Member
from node.demo.generator import Plan, Planted, origin_of
from node.demo.places import place
from node.demo.report import Report

EVIDENCE: str = "evidence.txt"
"""Name of the evidence file that the tour checks, in the demo's folder."""


def show_findings(out: Console, report: Report) -> None:
    """Planted and found, fault by fault; the answers; whatever disagrees."""
    content = report.content
    table = Table("", "fault", "rule", "level", "planted", "found", box=None, pad_edge=False)
    for fault in content["faults"]:
        right = fault["planted"] == fault["found"]
        table.add_row(
            fault["words"],
            fault["fault"],
            fault["rule"].removeprefix("approval."),
            fault["level"],
            str(fault["planted"]),
            str(fault["found"]) if right else f"[red]{fault['found']}[/red]",
        )
    out.print()
    out.print(table)
    alerts = content["alerts"]
    planted, found = (sum(fault[name] for fault in content["faults"]) for name in ("planted", "found"))
    out.print(
        f"\nplanted {planted} faults, found {found}; with what they bring along, planned {alerts['planted']} alerts and found {alerts['found']};"
        f" {len(content['nodes'])} journals with {sum(node['journal_size'] for node in content['nodes'])} entries"
    )
    for question in content["questions"]:
        coverage = question["coverage"]
        out.print(
            f"asked: {question['question']}: {question['words']}, {coverage['answered']} of {coverage['expected']} nodes,"
            f" {'proven' if question['verified'] else '[red]not proven[/red]'}, {question['ms']:.0f} ms"
        )
    if not report.disagreements:
        out.print("[green]nothing disagrees[/green]")
    for line in report.disagreements:
        out.print(f"disagrees: {line}", style="red", markup=False)


async def show_tour(out: Console, federation: Federation, plan: Plan) -> None:
    """What to try, each with what it shows; the hall to look into gets its camera here."""
    command = _command()
    desk = _planted(plan, SLOW_DESK)
    town = federation.members[desk.node]
    late = _planted(plan, "overdue")
    county = federation.members[late.node]
    village = next(one for one in federation.members.values() if one.place.node == origin_of(desk.case_id))
    city = federation.root
    hall = next(
        one for one in federation.members.values() if one.place.tier == "village" and one is not village
    )
    stream = await hang(federation, hall)
    evidence, verifier = await _evidence(federation, county, late.case_id)
    steps = [
        (
            "A red clock on the desk that spent the days",
            f"{command} alerts {town.folder} --rule {TIER} --level red",
            f"{desk.case_id} came from {village.place.name}; the whole is within its promised limit, but {town.place.name} spent"
            " more days than its desk has, so the red card is the town's and nobody else's.",
        ),
        (
            "A question from the city",
            f"{command} ask {city.folder} {county.node} alerts --level red --rule {CASE}",
            f"{county.place.name} answers from its own journal; each card comes with a proof under the head that the city holds.",
        ),
        (
            "A day-by-day explanation",
            f"{command} case {county.folder} {late.case_id} --explain",
            "Every day between acceptance and completion: counted or not, and why (weekends, holidays and their make-up days).",
        ),
        (
            "An evidence file checked offline",
            f"{command} verify {evidence} --verifier '{verifier}'",
            "One entry with its inclusion proof and the signed head: no node and no network is needed. Change a character and try again.",
        ),
        (
            "A village unplugged and caught up",
            f"kill {village.process.pid if village.process else ''}; sleep 3; {command} open {village.folder} {_by_hand(village)};"
            f" {command} status {village.folder}; {command} run {village.folder} &",
            f"{village.place.name} goes on alone: the case is entered in its stopped store and the status shows what its parent does"
            " not hold yet; when it runs again, the lag goes to 0.",
        ),
        (
            "A village's hall seen from the city",
            f"{city.page}watch/{stream}",
            f"In a browser; {city.page}wall has every hall. The picture comes from {hall.place.name} through each tier between, and each of them"
            f" enters who looks: {command} stream viewers {hall.folder}",
        ),
    ]
    out.print("\n[bold]Six things to try[/bold] (in another terminal)\n")
    for number, (title, what, shows) in enumerate(steps, 1):
        out.print(f"[bold]{number}. {title}[/bold]")
        out.print(f"   {what}", style="cyan", markup=False)
        out.print(f"   {shows}\n", markup=False)
    out.print(f"Every node has a page, the city's is {city.page}\nCtrl-C ends the demo.")


def _planted(plan: Plan, fault: str) -> Planted:
    """A case of this fault, at a county where there is one."""
    able = [one for one in plan.planted if one.fault.name == fault]
    return next((one for one in able if place(one.node).tier == "county"), able[0])


async def _evidence(federation: Federation, member: Member, case_id: str) -> tuple[Path, str]:
    """Evidence of a case's newest entry, written beside the nodes; and the key to check it with."""
    answer = await member.get(f"/api/cases/{case_id}/evidence")
    path = federation.directory / EVIDENCE
    path.write_text(answer["evidence"], encoding="utf-8")
    return path, str(answer["verifier"])


def _by_hand(village: Member) -> str:
    desk = village.place.desk("WJ")
    return f"--item WJ-01 --agency {desk.code} --actor {desk.handlers[0]}"


def _command() -> str:
    """How the visitor starts the program: as this process was started."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return f"{sys.executable} -m node"
    return str(started)
