"""Evidence files: what a citizen holds proves the entry offline, and nothing else passes for it."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.journal.checkpoint import Checkpoint, Signer, cosign, log_id, sign
from federation.journal.evidence import HEADER, Evidence, EvidenceError
from federation.journal.merkle import Frontier, leaf_hash
from federation.journal.tile import TileReader

LEAVES = [f"第{number}件".encode() for number in range(7)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
SIGNER = Signer.from_bytes(log_id("990102001", "3f9a2c1d"), b"\x01" * 32)
STRANGER = Signer.from_bytes(SIGNER.name, b"\x02" * 32)
VERIFIERS = [SIGNER.verifier]


def root_of(size: int) -> bytes:
    frontier = Frontier()
    frontier.extend(HASHES[:size])
    return frontier.root()


NOTE = sign(Checkpoint(SIGNER.name, 7, root_of(7)), SIGNER)


async def evidence_of(index: int, size: int = 7) -> Evidence:
    async def no_tile(level: int, index: int) -> bytes:
        raise AssertionError("a tree this small has no full tile")

    async def leaf_hashes(lo: int, hi: int) -> list[bytes]:
        return HASHES[lo:hi]

    proof = await TileReader(7, no_tile, leaf_hashes).inclusion_proof(index, size)
    note = sign(Checkpoint(SIGNER.name, size, root_of(size)), SIGNER)
    return Evidence(LEAVES[index], index, tuple(proof), note)


def refused(evidence: Evidence, match: str = "does not hold") -> None:
    with pytest.raises(EvidenceError, match=match):
        evidence.verify(VERIFIERS)


class TestVerifying:
    @pytest.mark.parametrize("index", range(7))
    async def test_every_entry_is_proven_through_its_file(self, index: int) -> None:
        evidence = Evidence.parse((await evidence_of(index)).to_text())
        assert evidence.leaf == LEAVES[index]
        assert evidence.verify(VERIFIERS) == Checkpoint(SIGNER.name, 7, root_of(7))

    async def test_the_only_entry_of_a_log_needs_no_hashes(self) -> None:
        evidence = await evidence_of(0, size=1)
        assert evidence.proof == ()
        assert Evidence.parse(evidence.to_text()) == evidence
        assert evidence.verify(VERIFIERS).size == 1

    async def test_cosignatures_travel_with_it(self) -> None:
        parent = Signer.from_bytes("parent", b"\x09" * 32)
        evidence = replace(await evidence_of(4), note=cosign(NOTE, parent, datetime(2026, 3, 2, tzinfo=UTC)))
        assert Evidence.parse(evidence.to_text()).note == evidence.note
        assert evidence.verify([*VERIFIERS, parent.cosignature_verifier]).size == 7

    async def test_another_leaf_index_or_proof_is_refused(self) -> None:
        evidence = await evidence_of(4)
        refused(replace(evidence, leaf=LEAVES[5]))
        refused(replace(evidence, leaf=b""))
        refused(replace(evidence, index=5))
        refused(replace(evidence, index=7))
        refused(replace(evidence, proof=evidence.proof[:-1]))
        refused(replace(evidence, proof=(*evidence.proof, HASHES[0])))
        refused(replace(evidence, proof=evidence.proof[::-1]))
        refused(replace(evidence, proof=(await evidence_of(5)).proof))

    async def test_another_checkpoint_is_refused(self) -> None:
        evidence = await evidence_of(4)
        refused(replace(evidence, note=sign(Checkpoint(SIGNER.name, 6, root_of(6)), SIGNER)))
        refused(
            replace(evidence, note=sign(Checkpoint(SIGNER.name, 7, root_of(7)), STRANGER)), "no known key"
        )
        refused(replace(evidence, note=NOTE.replace("\n7\n", "\n8\n")), "bad")
        refused(replace(evidence, note=""), "malformed")


class TestFile:
    async def test_the_file_reads_as_the_specification_shows(self) -> None:
        evidence = await evidence_of(6)
        lines = evidence.to_text().split("\n")
        assert lines[:3] == [
            "c2sp.org/tlog-proof@v1",
            "extra " + base64.b64encode(LEAVES[6]).decode(),
            "index 6",
        ]
        assert lines[3:5] == [base64.b64encode(digest).decode() for digest in evidence.proof]
        assert "\n".join(lines[5:]) == "\n" + evidence.note

    @given(
        st.binary(),
        st.integers(0, 2**63 - 1),
        st.lists(st.binary(min_size=32, max_size=32), max_size=63),
        st.text(),
    )
    def test_files_round_trip(self, leaf: bytes, index: int, proof: list[bytes], note: str) -> None:
        evidence = Evidence(leaf, index, tuple(proof), note)
        assert Evidence.parse(evidence.to_text()) == evidence

    async def test_malformed_files_are_refused(self) -> None:
        text = (await evidence_of(4)).to_text()
        extra, index, first = text.split("\n")[1:4]
        for malformed in (
            "",
            HEADER,
            HEADER + "\n\n" + NOTE,
            text.replace("@v1", "@v2"),
            "\n" + text,
            text.replace("\n", "\r\n"),
            text.replace(extra, extra + "\n" + extra),
            text.replace(extra, "extra "),
            text.replace(extra, "extra"),
            text.replace(extra, "extra *"),
            text.replace(extra, "extra  " + extra[6:]),
            text.replace(extra + "\n" + index, index + "\n" + extra),
            text.replace(index + "\n", ""),
            text.replace(index, "index 04"),
            text.replace(index, "index -4"),
            text.replace(index, "index "),
            text.replace(index, "index " + "9" * 30),
            text.replace(first, first[:-1]),
            text.replace(first, first[:-4]),
            text.replace(first, " " + first),
            text.replace(first, (first + "\n") * 63 + first),
            text.partition("\n\n")[0],
        ):
            with pytest.raises(EvidenceError):
                Evidence.parse(malformed)

    @given(st.text())
    def test_garbage_is_refused(self, text: str) -> None:
        with pytest.raises(EvidenceError):
            Evidence.parse(text)
