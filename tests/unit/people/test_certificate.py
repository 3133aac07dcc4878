"""The certificate of a node's HTTPS: its own, kept and made again when it must be, or a given one."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from federation.errors import ZonghengError
from node.config import HttpsSettings
from node.web.certificate import context, given, names_here, own

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_nodes_own_certificate_is_made_once_and_kept(tmp_path: Path) -> None:
    first = own(tmp_path, ("county.example", "10.1.2.3", "fd00::1"), NOW)
    assert (first.own, first.names) == (True, ("county.example", "10.1.2.3", "fd00::1"))
    assert first.key.stat().st_mode & 0o777 == 0o600
    again = own(tmp_path, ("10.1.2.3",), NOW + timedelta(days=700))
    assert again.fingerprint == first.fingerprint
    assert len(first.fingerprint.split(":")) == 32
    assert context(first).minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("names", "later"),
    [
        (("other.example",), timedelta()),
        (("a.example",), timedelta(days=800)),
        (("a.example",), timedelta(days=-2)),
    ],
)
def test_it_is_made_again_for_other_names_and_before_it_ends(
    tmp_path: Path, names: tuple[str, ...], later: timedelta
) -> None:
    first = own(tmp_path, ("a.example",), NOW)
    assert own(tmp_path, names, NOW + later).fingerprint != first.fingerprint


def test_a_given_certificate_is_served_with_its_names_and_a_foreign_key_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = own(tmp_path / "one", ("a.example",), NOW), own(tmp_path / "two", ("b.example",), NOW)
    taken = given(one.certificate, one.key)
    assert (taken.names, taken.own, taken.fingerprint) == (("a.example",), False, one.fingerprint)
    with pytest.raises(ZonghengError):
        given(one.certificate, two.key)
    with pytest.raises(ZonghengError):
        given(tmp_path / "none.pem", one.key)


def test_names_are_those_by_which_the_address_is_reached() -> None:
    assert names_here("10.1.2.3") == ("10.1.2.3",)
    assert names_here("county.example") == ("county.example",)
    assert {"localhost", "127.0.0.1"} <= set(names_here("0.0.0.0"))


def test_certificate_and_key_are_given_together() -> None:
    with pytest.raises(ValidationError, match="or neither"):
        HttpsSettings(certificate="a.pem")
