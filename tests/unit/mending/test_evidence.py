"""An evidence file carries the parent's cosignature where there is one, and `verify` says offline who cosigned."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from federation.journal.checkpoint import Signer
from node.people.caller import OPERATOR
from node.uplink import OwnJournal
from node.views.evidence import KEY_SUFFIX, EvidenceView, check_file, of_case
from tests.unit.projection.units import TOWN, VILLAGE, Unit, item

Make = Callable[..., Awaitable[Unit]]

CASE = "c-1"


async def evidence(village: Unit, folder: Path) -> tuple[EvidenceView, Path]:
    shown = await of_case(village.node, OPERATOR, CASE, None)
    file = folder / "case.tlog-proof"
    file.write_text(shown.evidence, encoding="utf-8")
    keys = file.with_name(file.name + KEY_SUFFIX)
    keys.write_text("".join(f"{key}\n" for key in (shown.verifier, *shown.cosigners)), encoding="utf-8")
    return shown, file


async def acknowledged(village: Unit, town: Unit) -> None:
    """Push all there is and keep the acknowledgement, as the link does."""
    node = village.node
    own = OwnJournal(node.store, node.writer, node.signer, node.branch)
    await town.node.children.enrol(node.tree.own)
    held = (await town.node.children.held(VILLAGE)).size
    leaves = await own.leaves(held, node.writer.size, 1 << 30)
    note = await own.note_at(held + len(leaves))
    accepted = await town.node.children.accept(VILLAGE, held, leaves, note)
    await own.acknowledged(accepted.size, accepted.cosigned)
    await node.desk.met(town.node.tree.own)


async def test_who_cosigned_is_said_and_when(unit: Make, tmp_path: Path) -> None:
    village, town = await unit(VILLAGE), await unit(TOWN)
    await village.told(item(), *village.late(CASE))
    _, file = await evidence(village, tmp_path)
    alone = check_file(file, None)
    assert alone["verified"] is True
    assert alone["cosigned"] == []
    await acknowledged(village, town)
    shown, file = await evidence(village, tmp_path)
    told = check_file(file, None)
    assert told["verified"] is True
    assert [one["node"] for one in told["cosigned"]] == [TOWN]
    assert any(f"cosigned by {TOWN}" in line for line in told["words"])
    # Told which key to check with, the cosigners' keys are still those beside the file.
    assert check_file(file, shown.verifier)["cosigned"] == told["cosigned"]
    # A later entry that the parent does not hold yet is proven without it.
    await village.told(village.event(CASE, "completion", 10**15))
    _, file = await evidence(village, tmp_path)
    assert check_file(file, None)["cosigned"] == []


async def test_a_cosignature_that_somebody_else_made_is_no_proof(unit: Make, tmp_path: Path) -> None:
    village, town = await unit(VILLAGE), await unit(TOWN)
    await village.told(item(), *village.late(CASE))
    await acknowledged(village, town)
    shown, file = await evidence(village, tmp_path)
    impostor = Signer.generate(town.node.settings.log_id)
    keys = file.with_name(file.name + KEY_SUFFIX)
    keys.write_text(f"{shown.verifier}\n{impostor.cosignature_verifier}\n", encoding="utf-8")
    assert check_file(file, None)["cosigned"] == []
    forged = shown.evidence[:-6] + ("AAAA=\n" if shown.evidence[-6:] != "AAAA=\n" else "BBBB=\n")
    file.write_text(forged, encoding="utf-8")
    keys.write_text("".join(f"{key}\n" for key in (shown.verifier, *shown.cosigners)), encoding="utf-8")
    told = check_file(file, None)
    assert told["verified"] is False
