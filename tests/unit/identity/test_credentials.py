"""A server is whoever has the CA key that is trusted, a client whoever was certified; names decide the rest."""

import pytest

from federation.identity.credentials import is_loopback


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.8.9.10:0", "[::1]:7401", "localhost:7401"])
def test_loopback_is_recognised(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0:1",
        "[::]:1",
        "10.0.0.1:1",
        "::1:1",
        "127.0.0.1",
        "127.0.0.1.example.org:1",
        "localhost.example.org:1",
        "example.org:1",
        "unix:/tmp/x",
        ":1",
        "",
        "[::1]:x",
        "dns:///127.0.0.1:1",
    ],
)
def test_anything_else_is_not(address: str) -> None:
    assert not is_loopback(address)
