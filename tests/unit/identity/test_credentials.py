"""Without certificates nothing leaves the machine, and it says so."""

import grpc.aio
import pytest
from structlog.testing import capture_logs

from federation.errors import ZonghengError
from federation.identity.credentials import InsecureLoopback, is_loopback


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
async def test_anything_else_is_refused_at_both_ends(address: str) -> None:
    server = grpc.aio.server()
    for use in (
        lambda: InsecureLoopback().server_port(server, address),
        lambda: InsecureLoopback().channel(address),
    ):
        with pytest.raises(ZonghengError) as refused:
            use()
        assert refused.value.code == "not_loopback"


async def test_every_use_is_warned_about() -> None:
    server = grpc.aio.server()
    with capture_logs() as logs:
        port = InsecureLoopback().server_port(server, "127.0.0.1:0")
        channel = InsecureLoopback().channel(f"127.0.0.1:{port}")
    assert [(log["event"], log["log_level"], log["purpose"]) for log in logs] == [
        ("credentials.insecure", "warning", "serve"),
        ("credentials.insecure", "warning", "dial"),
    ]
    await channel.close(None)
    await server.stop(None)
