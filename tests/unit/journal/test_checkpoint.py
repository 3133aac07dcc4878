"""Signed heads: published notes, and everything that must not pass for one."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.journal.checkpoint import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Checkpoint,
    CheckpointError,
    Cosignature,
    SignatureType,
    Signer,
    Verifier,
    cosign,
    cosignatures,
    log_id,
    open_note,
    parse_log_id,
    sign,
)
from federation.journal.merkle import EMPTY_ROOT, MAX_SIZE, leaf_hash

ORIGIN = log_id("990102001", "3f9a2c1d")
ROOT = leaf_hash(b"an entry")
CHECKPOINT = Checkpoint(ORIGIN, 1, ROOT)
CHILD = Signer.from_bytes(ORIGIN, b"\x01" * 32)
PARENT = Signer.from_bytes(log_id("990102", "00c0ffee"), b"\x02" * 32)
STRANGER = Signer.from_bytes(ORIGIN, b"\x03" * 32)
NOTE = sign(CHECKPOINT, CHILD)
NOON = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)

# The examples of C2SP signed-note and of the Go note package.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_TEXT = b"This is an example message.\n"
EXAMPLE_SIGNATURE = (
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)
NEUMANN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
NEUMANN_TEXT = (
    b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
NEUMANN_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)

# A checkpoint of a public Certificate Transparency log, as published: two signatures of the log, four witnesses.
PUBLIC_NOTE = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
PUBLIC_LOG = Verifier.parse(
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
PUBLIC_WITNESSES = [
    Verifier.parse(vkey)
    for vkey in (
        "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
        "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    )
]


def signature_lines(note: str) -> list[str]:
    return note.rpartition("\n\n")[2].splitlines(keepends=True)


def refused(note: str, match: str | None = None, verifiers: list[Verifier] | None = None) -> None:
    with pytest.raises(CheckpointError, match=match):
        open_note(note, verifiers or [CHILD.verifier])


class TestPublishedVectors:
    @pytest.mark.parametrize(
        ("key", "text", "signature"),
        [(EXAMPLE_KEY, EXAMPLE_TEXT, EXAMPLE_SIGNATURE), (NEUMANN_KEY, NEUMANN_TEXT, NEUMANN_SIGNATURE)],
    )
    def test_signatures_of_the_note_specification_verify(self, key: str, text: bytes, signature: str) -> None:
        verifier = Verifier.parse(key)
        raw = base64.b64decode(signature)
        assert raw[:4] == verifier.key_id
        assert verifier.verify(text, raw[4:])
        assert not verifier.verify(text + b"\n", raw[4:])
        assert str(verifier) == key

    def test_a_known_secret_makes_the_known_signature(self) -> None:
        signer = Signer.from_bytes("PeterNeumann", base64.b64decode(NEUMANN_SECRET)[1:])
        assert str(signer.verifier) == NEUMANN_KEY
        assert signer.signature(NEUMANN_TEXT) == base64.b64decode(NEUMANN_SIGNATURE)[4:]

    def test_a_public_checkpoint_opens(self) -> None:
        checkpoint = open_note(PUBLIC_NOTE, [PUBLIC_LOG, *PUBLIC_WITNESSES])
        assert (checkpoint.origin, checkpoint.size) == (PUBLIC_LOG.name, 1_432_088_532)

    def test_the_cosignatures_of_a_public_checkpoint_verify(self) -> None:
        at = datetime(2026, 5, 23, 21, 50, 24, tzinfo=UTC)
        assert cosignatures(PUBLIC_NOTE, PUBLIC_WITNESSES) == [
            Cosignature(w.name, at) for w in PUBLIC_WITNESSES
        ]

    def test_a_public_checkpoint_with_another_size_does_not_open(self) -> None:
        altered = PUBLIC_NOTE.replace("1432088532", "1432088533")
        refused(altered, "bad", [PUBLIC_LOG])
        for witness in PUBLIC_WITNESSES:
            with pytest.raises(CheckpointError, match="bad"):
                cosignatures(altered, [witness])


class TestLogId:
    def test_it_names_the_suite(self) -> None:
        assert ORIGIN == "zongheng/sha256-ed25519/990102001/3f9a2c1d"
        assert parse_log_id(ORIGIN) == ("sha256-ed25519", "990102001", "3f9a2c1d")
        assert str(parse_log_id(ORIGIN)) == ORIGIN

    @pytest.mark.parametrize(
        ("node", "nonce"),
        [
            ("", "3f9a2c1d"),
            ("a/b", "3f9a2c1d"),
            ("a b", "3f9a2c1d"),
            ("1", "3F9A2C1D"),
            ("1", "3f9a"),
            ("1\n", "3f9a2c1d"),
        ],
    )
    def test_parts_that_would_not_read_back_are_refused(self, node: str, nonce: str) -> None:
        with pytest.raises(ValueError, match="log id"):
            log_id(node, nonce)

    @pytest.mark.parametrize(
        "origin",
        [
            "",
            "example.com/log",
            "zongheng/sha256-ed25519/990102001",
            "zongheng/sha256-ed25519/990102001/3f9a2c1d/",
            "zongheng/sha256-ed25519//3f9a2c1d",
            "zongheng/sha256-ed25519/990102001/nonce",
        ],
    )
    def test_other_origins_are_no_log_ids(self, origin: str) -> None:
        with pytest.raises(CheckpointError, match="not a log id"):
            parse_log_id(origin)

    def test_a_suite_we_do_not_speak_is_named(self) -> None:
        with pytest.raises(CheckpointError, match="'sm3-sm2'"):
            parse_log_id("zongheng/sm3-sm2/990102001/3f9a2c1d")


class TestCheckpoint:
    @given(
        st.integers(1, MAX_SIZE),
        st.binary(min_size=32, max_size=32),
        st.lists(st.text(st.characters(min_codepoint=32, codec="utf-8"), min_size=1), max_size=3),
    )
    def test_bodies_round_trip(self, size: int, root: bytes, extensions: list[str]) -> None:
        checkpoint = Checkpoint(ORIGIN, size, root, tuple(extensions))
        assert Checkpoint.parse(checkpoint.body()) == checkpoint
        assert open_note(sign(checkpoint, CHILD), [CHILD.verifier]) == checkpoint

    def test_the_body_is_what_the_specification_shows(self) -> None:
        root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
        body = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        assert Checkpoint("example.com/behind-the-sofa", 20852163, root).body() == body

    @pytest.mark.parametrize(
        "size", ["", "-1", "+1", "01", "1 ", "1_0", "٣", "0x1", str(MAX_SIZE + 1), "9" * 400]
    )
    def test_sizes_are_plain_decimals(self, size: str) -> None:
        with pytest.raises(CheckpointError, match="size and root"):
            Checkpoint.parse(CHECKPOINT.body().replace("\n1\n", f"\n{size}\n"))

    def test_malformed_bodies_are_refused(self) -> None:
        body = CHECKPOINT.body()
        for malformed in (
            "",
            "\n",
            "a\n1\n",
            body[:-1],
            body + "\n",
            "\n" + body,
            body.replace("=", ""),
            body + "a\tb\n",
        ):
            with pytest.raises(CheckpointError):
                Checkpoint.parse(malformed)

    def test_fields_are_checked(self) -> None:
        for origin, size, root, extensions in (
            ("", 1, ROOT, ()),
            ("a\nb", 1, ROOT, ()),
            (ORIGIN, -1, ROOT, ()),
            (ORIGIN, MAX_SIZE + 1, ROOT, ()),
            (ORIGIN, 1, ROOT[:-1], ()),
            (ORIGIN, 0, ROOT, ()),
            (ORIGIN, 1, ROOT, ("",)),
        ):
            with pytest.raises(CheckpointError):
                Checkpoint(origin, size, root, extensions)

    def test_an_empty_log_has_a_checkpoint(self) -> None:
        empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
        assert open_note(sign(empty, CHILD), [CHILD.verifier]) == empty


class TestKeys:
    def test_verifier_keys_round_trip(self) -> None:
        for verifier in (CHILD.verifier, CHILD.cosignature_verifier):
            assert Verifier.parse(str(verifier)) == verifier
        assert CHILD.verifier.key_id != CHILD.cosignature_verifier.key_id

    def test_a_stored_signer_is_the_same_signer(self) -> None:
        signer = Signer.generate(ORIGIN)
        assert len(signer.to_bytes()) == 32
        assert Signer.from_bytes(ORIGIN, signer.to_bytes()).verifier == signer.verifier
        assert Signer.generate(ORIGIN).verifier != signer.verifier

    def test_the_secret_is_not_shown(self) -> None:
        assert base64.b64encode(CHILD.to_bytes()).decode() not in repr(CHILD)
        assert CHILD.to_bytes().hex() not in repr(CHILD)

    @pytest.mark.parametrize(
        "vkey",
        [
            "",
            "example.com/foo",
            "example.com/foo+530d903a",
            EXAMPLE_KEY.replace("530d903a", "530d903b"),
            EXAMPLE_KEY.replace("530d903a", "530D903A"),
            EXAMPLE_KEY.replace("530d903a", "530d903"),
            EXAMPLE_KEY.replace("foo", "bar"),
            EXAMPLE_KEY + "\n",
            EXAMPLE_KEY[:-4],
            EXAMPLE_KEY[:-1] + "*",
            EXAMPLE_KEY.replace("+Aek", "+Buk"),
            "+530d903a+",
            "example.com/foo+530d903a+",
            "example com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        ],
    )
    def test_malformed_verifier_keys_are_refused(self, vkey: str) -> None:
        with pytest.raises(CheckpointError):
            Verifier.parse(vkey)

    @pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u3000b", "a\u00a0b", "a\nb", "\ud800"])
    def test_names_that_no_note_could_carry_are_refused(self, name: str) -> None:
        with pytest.raises(CheckpointError):
            Signer.generate(name)


class TestOpening:
    def test_a_signed_note_opens(self) -> None:
        assert open_note(NOTE, [CHILD.verifier]) == CHECKPOINT

    def test_a_signer_signs_only_for_its_own_log(self) -> None:
        with pytest.raises(ValueError, match="does not sign for the log"):
            sign(CHECKPOINT, PARENT)

    def test_one_log_cannot_vouch_for_another(self) -> None:
        signature = PARENT.signature(CHECKPOINT.body().encode())
        encoded = base64.b64encode(PARENT.verifier.key_id + signature).decode()
        note = CHECKPOINT.body() + f"\n— {PARENT.name} {encoded}\n"
        refused(note, "no known key", [CHILD.verifier, PARENT.verifier])

    def test_a_cosignature_alone_does_not_open_a_note(self) -> None:
        cosigned = cosign(NOTE, PARENT, NOON)
        only_cosigned = CHECKPOINT.body() + "\n" + signature_lines(cosigned)[1]
        refused(only_cosigned, "no known key", [CHILD.verifier, PARENT.cosignature_verifier])

    def test_a_log_cannot_open_its_note_with_a_cosignature_of_its_own(self) -> None:
        only_cosigned = CHECKPOINT.body() + "\n" + signature_lines(cosign(NOTE, CHILD, NOON))[1]
        refused(only_cosigned, "no known key", [CHILD.verifier, CHILD.cosignature_verifier])

    def test_unknown_signatures_are_ignored(self) -> None:
        lines = signature_lines(sign(CHECKPOINT, STRANGER))
        other_algorithm = f"— {ORIGIN} {base64.b64encode(b'abcd' + b'x' * 5000).decode()}\n"
        for note in (
            NOTE + lines[0],
            CHECKPOINT.body() + "\n" + lines[0] + other_algorithm + signature_lines(NOTE)[0],
        ):
            assert open_note(note, [CHILD.verifier]) == CHECKPOINT

    def test_a_note_signed_by_strangers_is_refused(self) -> None:
        refused(sign(CHECKPOINT, STRANGER), "no known key")
        with pytest.raises(CheckpointError, match="no known key"):
            open_note(NOTE, [])

    def test_a_bad_signature_by_a_known_key_refuses_the_whole_note(self) -> None:
        altered = base64.b64encode(CHILD.verifier.key_id + b"\0" * 64).decode()
        refused(NOTE + f"— {ORIGIN} {altered}\n", "bad")
        short = base64.b64encode(CHILD.verifier.key_id + b"\0" * 63).decode()
        refused(NOTE + f"— {ORIGIN} {short}\n", "bad")

    def test_a_bad_cosignature_by_a_known_key_refuses_the_whole_note(self) -> None:
        key_id = PARENT.cosignature_verifier.key_id
        for signature in (b"\0" * 72, b"\0" * 64, b"\0"):
            note = NOTE + f"— {PARENT.name} {base64.b64encode(key_id + signature).decode()}\n"
            refused(note, "bad", [CHILD.verifier, PARENT.cosignature_verifier])
            assert open_note(note, [CHILD.verifier]) == CHECKPOINT

    def test_a_signature_line_given_twice_counts_once(self) -> None:
        assert open_note(NOTE + signature_lines(NOTE)[0], [CHILD.verifier]) == CHECKPOINT

    def test_a_verifier_given_twice_is_one_verifier(self) -> None:
        assert open_note(NOTE, [CHILD.verifier, CHILD.verifier]) == CHECKPOINT

    @given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
    def test_any_altered_byte_is_refused(self, at: int, change: int) -> None:
        raw = bytearray(NOTE.encode())
        raw[at] ^= change
        refused(raw.decode("utf-8", "surrogateescape"))

    @given(st.integers(0, len(NOTE) - 1))
    def test_any_cut_note_is_refused(self, at: int) -> None:
        refused(NOTE[:at])

    @given(st.text(), st.text())
    def test_garbage_is_refused(self, before: str, after: str) -> None:
        refused(before)
        if before:
            refused(before + NOTE)
        if after:
            refused(NOTE + after)

    def test_malformed_notes_are_refused(self) -> None:
        body, line = CHECKPOINT.body(), signature_lines(NOTE)[0]
        encoded = line.split(" ")[2]
        for malformed in (
            body,
            body + line,
            body + "\n",
            "\n" + line,
            body + "\n\n" + line,
            body + "\n" + line[:-1],
            body + "\n" + line + "\n",
            body + "\n" + line.replace("— ", "- "),
            body + "\n" + line.replace("— ", "—  "),
            body + "\n" + line.replace("— ", "—\u00a0"),
            body + "\n" + line.replace("\n", " \n"),
            body + "\n" + line.replace("\n", "\r\n"),
            body + "\n" + line.replace("=", ""),
            body + "\n" + f"— {ORIGIN} AAAA\n" + line,
            body + "\n" + f"— a+b {encoded}" + line,
            body + "\n" + f"—  {encoded}" + line,
            NOTE.replace("\n", "\r\n"),
            NOTE.replace("\n", "\u2028"),
            "\ufeff" + NOTE,
            NOTE + "\0",
            NOTE + "\udc80",
        ):
            refused(malformed)

    def test_base64_has_one_spelling(self) -> None:
        assert "DsUAQ==" in PUBLIC_NOTE
        refused(PUBLIC_NOTE.replace("DsUAQ==", "DsUAR=="), "canonical", [PUBLIC_LOG])

    def test_long_notes_are_refused(self) -> None:
        line = signature_lines(sign(CHECKPOINT, STRANGER))[0]
        assert open_note(NOTE + line * (MAX_SIGNATURES - 1), [CHILD.verifier]) == CHECKPOINT
        refused(NOTE + line * MAX_SIGNATURES, "more than 64 signatures")
        refused("x" * MAX_NOTE_BYTES + NOTE, "longer than")
        refused("监" * (MAX_NOTE_BYTES // 2) + NOTE, "longer than")

    def test_two_known_keys_must_not_be_confused(self) -> None:
        class Colliding(Verifier):
            @property
            def key_id(self) -> bytes:
                return b"same"

        verifiers: list[Verifier] = [Colliding(ORIGIN, b"\1" * 32), Colliding(ORIGIN, b"\2" * 32)]
        refused(NOTE, "share the id", verifiers)


class TestCosigning:
    def test_a_cosignature_tells_who_and_when(self) -> None:
        cosigned = cosign(NOTE, PARENT, NOON)
        assert cosigned.startswith(NOTE)
        assert cosignatures(cosigned, [PARENT.cosignature_verifier]) == [Cosignature(PARENT.name, NOON)]
        assert open_note(cosigned, [CHILD.verifier, PARENT.cosignature_verifier]) == CHECKPOINT

    def test_time_is_kept_in_whole_seconds_whatever_the_zone(self) -> None:
        at = (NOON + timedelta(microseconds=999_999)).astimezone(timezone(timedelta(hours=8)))
        assert cosign(NOTE, PARENT, at) == cosign(NOTE, PARENT, NOON)

    def test_cosigning_again_renews_the_cosignature(self) -> None:
        later = NOON + timedelta(minutes=5)
        assert cosign(cosign(NOTE, PARENT, NOON), PARENT, later) == cosign(NOTE, PARENT, later)

    def test_a_key_that_cosigned_twice_counts_once_and_latest(self) -> None:
        later = NOON + timedelta(minutes=5)
        lines = [signature_lines(cosign(NOTE, PARENT, at))[1] for at in (NOON, later, NOON)]
        assert cosignatures(NOTE + "".join(lines), [PARENT.cosignature_verifier]) == [
            Cosignature(PARENT.name, later)
        ]

    def test_several_cosigners_all_count(self) -> None:
        cosigned = cosign(cosign(NOTE, PARENT, NOON), STRANGER, NOON)
        verifiers = [PARENT.cosignature_verifier, STRANGER.cosignature_verifier]
        assert [found.name for found in cosignatures(cosigned, verifiers)] == [PARENT.name, STRANGER.name]

    def test_cosignatures_of_strangers_do_not_count(self) -> None:
        cosigned = cosign(NOTE, STRANGER, NOON)
        assert cosignatures(cosigned, [PARENT.cosignature_verifier, CHILD.verifier]) == []

    def test_a_cosignature_for_another_time_is_bad(self) -> None:
        line = signature_lines(cosign(NOTE, PARENT, NOON))[1]
        raw = bytearray(base64.b64decode(line.split(" ")[2]))
        raw[11] ^= 1
        note = NOTE + f"— {PARENT.name} {base64.b64encode(raw).decode()}\n"
        with pytest.raises(CheckpointError, match="bad"):
            cosignatures(note, [PARENT.cosignature_verifier])

    def test_a_cosignature_does_not_move_to_another_checkpoint(self) -> None:
        line = signature_lines(cosign(NOTE, PARENT, NOON))[1]
        other = sign(Checkpoint(ORIGIN, 2, ROOT), CHILD)
        with pytest.raises(CheckpointError, match="bad"):
            cosignatures(other + line, [PARENT.cosignature_verifier])

    def test_a_log_signature_is_no_cosignature(self) -> None:
        assert cosignatures(NOTE, [CHILD.verifier, CHILD.cosignature_verifier]) == []

    def test_a_time_beyond_the_calendar_is_refused(self) -> None:
        seconds = 2**63 - 1
        signature = PARENT.signature(f"cosignature/v1\ntime {seconds}\n{CHECKPOINT.body()}".encode())
        raw = PARENT.cosignature_verifier.key_id + seconds.to_bytes(8, "big") + signature
        note = NOTE + f"— {PARENT.name} {base64.b64encode(raw).decode()}\n"
        with pytest.raises(CheckpointError, match="9999"):
            cosignatures(note, [PARENT.cosignature_verifier])

    def test_times_that_cannot_be_signed_are_refused(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            cosign(NOTE, PARENT, datetime(2026, 3, 2))
        with pytest.raises(ValueError, match="1970"):
            cosign(NOTE, PARENT, datetime(1969, 12, 31, tzinfo=UTC))

    def test_what_is_no_note_is_not_cosigned(self) -> None:
        for malformed in ("", CHECKPOINT.body(), f"hello\n\n{signature_lines(NOTE)[0]}"):
            with pytest.raises(CheckpointError):
                cosign(malformed, PARENT, NOON)

    def test_a_verifier_is_for_one_kind_of_signature(self) -> None:
        assert CHILD.verifier.type is SignatureType.LOG
        assert CHILD.cosignature_verifier.type is SignatureType.COSIGNATURE
        refused(NOTE, "no known key", [CHILD.cosignature_verifier])
