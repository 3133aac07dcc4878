"""The token for a new box of a node that is enrolled says which journal it goes on with."""

from pathlib import Path

import pytest

from federation.errors import ZonghengError
from federation.identity.authority import new_key
from federation.identity.invitation import Invitation, Replaced
from node.backup.fetching import fetch

LOG = "zongheng/sha256-ed25519/330101001001/0123abcd"


def given(replaces: Replaced | None) -> Invitation:
    key = new_key().public_key()
    return Invitation.new(key, "127.0.0.1:7502", "330101001", "330101001001", "village", 1, replaces)


@pytest.mark.parametrize("replaces", [None, Replaced(LOG, "village", "南山村")])
def test_it_is_read_as_it_was_given(replaces: Replaced | None) -> None:
    invitation = given(replaces)
    assert Invitation.parse(str(invitation)) == invitation


async def test_a_token_for_a_node_that_begins_brings_nothing_back(tmp_path: Path) -> None:
    with pytest.raises(ZonghengError, match="--replace"):
        await fetch(tmp_path, "127.0.0.1:7402", str(given(None)))
    assert not (tmp_path / "keys").exists()  # no key was made, nothing was asked
