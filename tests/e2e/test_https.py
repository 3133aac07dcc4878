"""A node that is reached from elsewhere: HTTPS with its own certificate, and nobody without an account."""

import re
import ssl

import httpx
import pytest

from node import config
from tests.e2e.commands import zongheng
from tests.e2e.ports import free_port
from tests.e2e.tree import Node, Tree, until


def moved_away(node: Node) -> str:
    """Let the node listen on every address of this machine; returns its port."""
    port = str(free_port())
    settings = node.folder / config.SETTINGS_FILE
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        re.sub(r"^http = .*$", f'http = "0.0.0.0:{port}"', text, flags=re.M), encoding="utf-8"
    )
    return port


def test_a_node_leaves_loopback_with_accounts_and_tls_alone(tree: Tree) -> None:
    node = tree.add("county", "330103")
    port = moved_away(node)
    ran = node.run("run").ended(2)
    assert "user add" in ran.err
    words = ("s1", "--name", "张某", "--role", "system_administrator", "--json")
    administrator = zongheng("user", "add", node.folder, *words).ended(0).json
    assert (administrator["roles"], administrator["must_change"]) == (["system_administrator"], True)
    node.begin()
    pem = node.folder / "keys" / "https.pem"
    base = f"https://127.0.0.1:{port}"
    until("the certificate is there", pem.exists)
    trusting = ssl.create_default_context(cafile=str(pem))

    def ready(client: httpx.Client) -> bool:
        try:
            return client.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    with httpx.Client(base_url=base, verify=trusting, trust_env=False, timeout=60) as client:
        until("it answers over HTTPS", lambda: ready(client))
        assert "max-age" in client.get("/healthz").headers["strict-transport-security"]
        assert client.get("/api/status").json()["code"] == "login_required"
        login = {"number": "s1", "password": administrator["password"]}
        entered = client.post("/api/login", json=login)
        assert entered.headers["set-cookie"].startswith("__Host-zongheng_session=")
        assert "Secure" in entered.headers["set-cookie"]
        mine = {"password": "battery staple 2", "old": administrator["password"]}
        csrf = {"X-CSRF-Token": entered.json()["csrf"]}
        assert client.post("/api/me/password", json=mine, headers=csrf).status_code == 200
        login["password"] = mine["password"]
        assert client.post("/api/login", json=login).status_code == 200
        assert client.get("/api/status").json()["node"] == "330103"
        foreign = client.get("/healthz", headers={"Host": "evil.example"})
        assert foreign.status_code == 400
    fingerprint = re.search(r'"fingerprint": "([0-9A-F:]{95})"', node.log())
    assert fingerprint, node.log()[-2000:]
    with pytest.raises(httpx.HTTPError), httpx.Client(trust_env=False) as plain:
        plain.get(f"http://127.0.0.1:{port}/healthz")
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as doubting:
        doubting.get(f"{base}/healthz")
    # The owner's door is as it was, and says what happened.
    assert node.run("status", "--json").ended(0).json["running"] is True
    kinds = [one["kind"] for one in node.run("audit", "--json").ended(0).lines]
    assert kinds == ["added", "role_given", "login", "password", "login"]
