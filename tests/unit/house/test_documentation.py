"""docs/commands.md is exact: every field that a command prints is described in its command's section."""

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

import node.cli
import node.views
from node.cli.app import groups

BY_HAND = "zongheng open, move, handovers, sign, publish, confirm"

SECTIONS = {
    "status": ("zongheng status", "Status"),
    "evaluation": ("zongheng evaluate", "EvaluationView"),
    "alerts": ("zongheng alerts", "AlertView"),
    "explanation": ("zongheng explain", "FigureView"),
    "directives": ("zongheng directive", "DirectiveView"),
    "inspection": ("zongheng inspect", "InspectionView"),
    "cases": ("zongheng case", "CaseView"),
    "children": ("zongheng invite, join, children, approve, revoke, rotate-key", "ChildView"),
    "comparing": ("zongheng ask", "ComparedView"),
    "questions": ("zongheng ask", "AnswerView"),
    "lane": ("zongheng lane", "LaneView"),
    "policy": ("zongheng policy", "PolicyView"),
    "items": ("zongheng item", "ItemView"),
    "risks": ("zongheng item", "RisksView"),
    "item_faults": ("zongheng item", "FaultView"),
    "libraries": ("zongheng library, post, officer", "LibraryView"),
    "posts": ("zongheng library, post, officer", "OfficerView"),
    "report": ("zongheng report", "ReportView"),
    "filed": ("zongheng report", "FiledReports"),
    "forecast": ("zongheng forecast", "ForecastView"),
    "matching": ("zongheng match", "MatchingStatus"),
    "trend": ("zongheng trend", "TrendView"),
    "hot_spots": ("zongheng hotspots", "HotSpots"),
    "outliers": ("zongheng outliers", "Outliers"),
    "rollups": ("zongheng rollup", "RollupView"),
    "verification": ("zongheng verify", "Verification"),
    "mending": ("zongheng quarantine, renew-log, unseal", "QuarantineDetail"),
    "by_hand": (BY_HAND, "Entered"),
    "handover": (BY_HAND, "HandoverView"),
    "publication": (BY_HAND, "Published"),
    "people": ("zongheng user", "UserView"),
    "alert_life": ("zongheng alert", "LifeView"),
    "inbox": ("zongheng alert", "Inbox"),
    "alert_times": ("zongheng alert", "Times"),
    "accountability": ("zongheng accountability, department", "AccountabilityView"),
    "scores": ("zongheng score", "ScoresView"),
    "score_runs": ("zongheng score", "RunView"),
    "department_alerts": ("zongheng accountability, department", "DepartmentInspection"),
    "erasure": ("zongheng erase-person", "Erased"),
    "files": ("zongheng files", "FileView"),
    "backup": ("zongheng backup", "BackupView"),
    "sealed": ("zongheng sealed", "SealedView"),
    "cameras": ("zongheng camera", "CameraLine"),
    "footage": ("zongheng camera", "Snapshot"),
    "onvif": ("zongheng camera", "DeviceLine"),
    "steering": ("zongheng camera", "Obeyed"),
    "streams": ("zongheng stream", "StreamsView"),
    "meetings": ("zongheng meeting", "MeetingView"),
    "wall": ("zongheng camera", "Wall"),
    "patrol": ("zongheng patrol", "RoundView"),
    "patrol_plans": ("zongheng patrol", "PlanView"),
    "patrol_findings": ("zongheng patrol", "FindingView"),
    "disclosures": ("zongheng disclose, disclosures", "DisclosureView"),
    "draw": ("zongheng draw", "DrawView"),
    "facts": ("zongheng policy", "RuleView"),
    "trial": ("zongheng policy", "TrialView"),
}
"""Module of node.views → the section that describes what it answers, and the answer."""

FURTHER = [
    ("zongheng match", "matching", "FindingView"),
    ("zongheng match", "matching", "Loaded"),
    ("zongheng user", "people", "TokenView"),
    ("zongheng audit", "people", "AuditView"),
    ("zongheng camera", "cameras", "CameraView"),
    ("zongheng camera", "cameras", "Registered"),
    ("zongheng camera", "steering", "PresetsView"),
    ("zongheng camera", "cameras", "KeptSnapshot"),
    ("zongheng patrol", "patrol", "RoundLine"),
    ("zongheng camera", "footage", "ClipView"),
    ("zongheng camera", "footage", "Found"),
    ("zongheng camera", "footage", "Witness"),
    ("zongheng stream", "streams", "ViewingLine"),
    ("zongheng stream", "streams", "Tried"),
    ("zongheng alert", "alert_life", "EscalatedView"),
    ("zongheng accountability, department", "department_alerts", "TakenIn"),
    ("zongheng draw", "draw", "DrawAsked"),
    ("zongheng score", "scores", "SheetView"),
    ("zongheng score", "score_runs", "RunLine"),
    ("zongheng policy", "facts", "FactView"),
    ("zongheng library, post, officer", "libraries", "LibraryLine"),
    ("zongheng library, post, officer", "posts", "PostView"),
    ("zongheng explain", "explanation", "ExplanationView"),
]
"""Further answers of these modules: (section, module, answer)."""


def sections(repository: Path) -> dict[str, str]:
    text = (repository / "docs" / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fields(model: type[BaseModel], schema: dict[str, Any] | None = None) -> set[str]:
    """Names of the fields of a model and of everything that lies in it."""
    schema = schema or model.model_json_schema(mode="serialization")
    return {
        name for part in (schema, *schema.get("$defs", {}).values()) for name in part.get("properties", {})
    }


def described(section: str) -> set[str]:
    """Every name in backticks, also the parts of a path like `journal.size` or `nodes[].totals`."""
    names = re.findall(r"`([^`\n]+)`", section)
    return {part.removesuffix("[]") for name in names for part in name.split(".")}


@pytest.mark.parametrize("module", sorted(SECTIONS))
def test_every_field_of_an_answer_is_described(repository: Path, module: str) -> None:
    heading, model = SECTIONS[module]
    answer = getattr(importlib.import_module(f"node.views.{module}"), model)
    text = sections(repository)
    known = described(text[heading])
    if module in {"cases", "alert_life", "inbox"}:
        known |= described(text["zongheng alerts"])
    assert fields(answer) - known == set()


@pytest.mark.parametrize(("heading", "module", "model"), FURTHER)
def test_every_field_of_a_further_answer_is_described(
    repository: Path, heading: str, module: str, model: str
) -> None:
    answer = getattr(importlib.import_module(f"node.views.{module}"), model)
    text = sections(repository)
    known = described(text[heading]) | described(text["zongheng alerts"])
    assert fields(answer) - known == set()


def test_every_view_that_answers_a_command_is_looked_at() -> None:
    answering = set()
    for found in pkgutil.iter_modules(node.views.__path__):
        module = importlib.import_module(f"node.views.{found.name}")
        own = [each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__]
        if any(isinstance(each, type) and issubclass(each, BaseModel) for each in own):
            answering.add(found.name)
    # An evidence file is asked for over HTTP alone; `case --evidence` writes its text.
    assert answering - {"evidence"} == SECTIONS.keys() - {"publication"}


def commands() -> dict[str, Any]:
    """Every command by its name, as the groups of node/cli register them."""
    app = typer.Typer()
    for module in pkgutil.iter_modules(node.cli.__path__):
        group = importlib.import_module(f"node.cli.{module.name}")
        if hasattr(group, "register"):
            group.register(app)
    everything: Any = typer.main.get_command(app)
    return dict(everything.commands)


def test_every_module_of_commands_is_in_the_program() -> None:
    found = [
        importlib.import_module(f"node.cli.{each.name}") for each in pkgutil.iter_modules(node.cli.__path__)
    ]
    assert {each for each in found if hasattr(each, "register")} == set(groups())


def test_every_option_that_is_documented_is_there(repository: Path) -> None:
    """In each usage of a command: `zongheng NAME … --option`."""
    there = commands()
    strange = []
    for usage in re.findall(
        r"`zongheng ([^`]+)`", (repository / "docs" / "commands.md").read_text(encoding="utf-8")
    ):
        command = there[re.split(r"\W*\s", usage)[0]]
        known = {option for each in parameters(command) for option in (*each.opts, *each.secondary_opts)}
        strange += [
            f"{usage.split()[0]} {option}"
            for option in re.findall(r"--[a-z-]+", usage)
            if option not in known
        ]
    assert strange == []


def parameters(command: Any) -> list[Any]:
    """A command's parameters; a group's are those of its commands."""
    return [
        parameter
        for each in (command, *getattr(command, "commands", {}).values())
        for parameter in each.params
    ]


def test_every_command_has_its_section_and_every_option_is_named_there(repository: Path) -> None:
    text = sections(repository)
    missing = []
    for name, command in commands().items():
        (section,) = [
            body
            for heading, body in text.items()
            if heading.startswith("zongheng ") and name in re.split(r",? ", heading)
        ]
        missing += [
            f"{name} {parameter.opts[0]}"
            for parameter in parameters(command)
            if parameter.param_type_name == "option" and parameter.name != "help"
            if not any(option in section for option in parameter.opts)
        ]
    assert missing == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_every_command(repository: Path, readme: str) -> None:
    text = (repository / readme).read_text(encoding="utf-8")
    assert [name for name in commands() if f"`zongheng {name}" not in text and f"`{name}`" not in text] == []


def test_both_readmes_show_the_same_commands(repository: Path) -> None:
    shown = [
        re.findall(
            r"^zongheng .+|`zongheng [^`]+`", (repository / name).read_text(encoding="utf-8"), re.MULTILINE
        )
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert len(shown[0]) > 20
    assert shown[0] == shown[1]
