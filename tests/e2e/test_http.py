"""What a running node answers over HTTP, and what it refuses: other hosts, other interfaces, hostile input. Never a 500."""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from node import config, control
from tests.e2e.commands import zongheng
from tests.e2e.tree import Node, Tree, until

CODE: Final = "330101"


@pytest.fixture(scope="module")
def node(shared_tree: Tree) -> Node:
    made = shared_tree.add("county", CODE).start()
    form = {"item": "X-01", "agency": "A01", "actor": "1001", "at": "2024-03-05T09:00:00"}
    made.post("/api/cases", form)
    return made


def test_health_page_and_api_answer_on_the_loopback_port(node: Node) -> None:
    assert node.get("/healthz") == {"status": "ok"}
    assert node.get("/readyz")["status"] == "ready"
    # The case that was just opened is judged meanwhile.
    until(
        "both say the same size",
        lambda: node.get("/readyz")["journal_size"] == node.status()["journal"]["size"],
    )
    page = node.client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert CODE in page.text
    assert "http://" not in page.text.replace("http://www.w3.org", ""), "nothing is loaded from outside"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    described = node.get("/openapi.json")
    reads = [path for path, ways in described["paths"].items() if "get" in ways and "{" not in path]
    assert {"/api/status", "/api/cases", "/api/alerts", "/api/rollup", "/api/evaluation"} <= set(reads)
    month = {"period": "month", "of": "2026-03"}
    asked = {"/api/report": month, "/api/scores": {"kind": "agency", "period": "2026-03"}}
    for path in reads:
        # News of meetings go on for minutes: that they begin is enough.
        with node.client.stream("GET", path, params=asked.get(path)) as answer:
            assert answer.status_code == 200, path
            assert answer.headers["content-type"].startswith("text/event-stream") or answer.read(), path
    assert node.get("/api/cases")["total"] == 1
    answer = node.post("/api/ask", {"subtree": ".", "question": "cases"})
    assert len(answer["nodes"][0]["cases"]) == 1


def test_a_foreign_host_is_refused(node: Node) -> None:
    for host in ("evil.example", f"evil.example:{node.http.rpartition(':')[2]}", "127.0.0.1.evil.example"):
        assert node.client.get("/api/status", headers={"Host": host}).status_code == 400, host
    for host in ("localhost", node.http):
        assert node.client.get("/api/status", headers={"Host": host}).status_code == 200, host


def test_another_interface_is_refused_while_nobody_has_an_account(tree: Tree) -> None:
    node = tree.add("county", "330102")
    ran = zongheng("run", node.folder, ZONGHENG_HTTP="0.0.0.0:20999").ended(2)
    assert "0.0.0.0:20999" in ran.err
    assert "loopback" in ran.err
    assert len([line for line in ran.err.splitlines() if line.startswith("zongheng:")]) == 1
    # Nothing is left that would keep the next start from working.
    assert not control.is_running(node.folder)
    with control.FolderLock(node.folder):
        assert config.load(node.folder).http == node.http


SQL: Final = "x' OR '1'='1'; DROP TABLE journal; --"
DEEP: Final = "[" * 100_000 + "]" * 100_000
LONG: Final = "长" * 100_000

GETS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("/api/cases", {"state": SQL}),
    ("/api/cases", {"item": SQL, "agency": "\0"}),
    ("/api/cases", {"limit": -1}),
    ("/api/cases", {"limit": 10**30}),
    ("/api/cases", {"offset": 10**30}),
    ("/api/cases", {"from": "tomorrow"}),
    ("/api/cases", {"from": "9999-12-31T23:59:59+14:00", "to": "0001-01-01"}),
    ("/api/alerts", {"level": SQL}),
    ("/api/alerts", {"level": "scarlet"}),
    ("/api/alerts", {"state": SQL}),
    ("/api/alerts", {"rule": SQL, "case": SQL, "agency": SQL}),
    ("/api/alerts", {"after": 10**30}),
    ("/api/alerts", {"limit": "many"}),
    ("/api/evaluation", {"as_of": SQL}),
    ("/api/evaluation", {"as_of": "0001-01-01"}),
    ("/api/evaluation", {"as_of": "9999-12-31T23:59:59-14:00"}),
    ("/api/rollup/rows", {"node": SQL}),
    ("/api/cases/../../keys/journal.key", {}),
    ("/api/cases/..%2f..%2fkeys%2fjournal.key", {}),
    ("/api/cases/%00", {}),
    (f"/api/cases/{'x' * 5_000}", {}),
    ("/api/cases/x", {"as_of": "never"}),
    ("/api/cases/%ff%fe", {"explain": "maybe"}),
    ("/api/cases/..%2f..%2fnode.toml/evidence", {}),
    ("/api/cases/x/evidence", {"index": 10**30}),
    ("/../../../etc/passwd", {}),
    ("/static/..%2f..%2fkeys%2fvault.key", {}),
    ("/docs", {}),
)

CASE: Final = {"item": "X-01", "agency": "A01", "actor": "1001"}
ASK: Final = {"subtree": ".", "question": "alerts"}

POSTS: Final[tuple[tuple[str, Any], ...]] = (
    ("/api/cases", {}),
    ("/api/cases", []),
    ("/api/cases", None),
    ("/api/cases", "text"),
    ("/api/cases", {**CASE, "unknown": 1}),
    ("/api/cases", {**CASE, "item": ""}),
    ("/api/cases", {**CASE, "at": "2024-13-45"}),
    ("/api/cases", {**CASE, "at": "9999-12-31T23:59:59"}),
    ("/api/cases", {**CASE, "domain": SQL}),
    ("/api/cases", {**CASE, "kind": "flown"}),
    ("/api/cases", {**CASE, "attributes": {"statutory_days": "many"}}),
    ("/api/cases", {**CASE, "attributes": {"statutory_days": str(10**40)}}),
    ("/api/cases", {**CASE, "attributes": {"nosuch": "x"}}),
    (
        "/api/cases",
        {**CASE, "item": "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace") + "\0"},
    ),
    ("/api/cases/nosuch/events", {"kind": SQL, "actor": "1"}),
    ("/api/cases/nosuch/events", {"kind": "completion", "actor": "1", "at": "x"}),
    ("/api/cases/nosuch/events", {"kind": "acceptance", "actor": "1"}),
    ("/api/alerts/..%2f../decision", {"by": "1"}),
    ("/api/alerts/nosuch/decision", {"by": ""}),
    ("/api/publications", {"items": [{"code": ""}]}),
    ("/api/publications", {"policy": {"rules": [{"rule": SQL}]}}),
    ("/api/publications", {"calendar": [{"day": "0000-00-00", "working": True}]}),
    ("/api/ask", {**ASK, "subtree": SQL}),
    ("/api/ask", {**ASK, "question": "everything"}),
    ("/api/ask", {**ASK, "level": "scarlet"}),
    ("/api/ask", {**ASK, "from": "x"}),
    ("/api/ask", {**ASK, "most": 10**30}),
    ("/api/ask", {**ASK, "deadline_s": -1}),
    ("/api/ask", {**ASK, "question": "rerun", "subject": SQL}),
    ("/api/ask", {**ASK, "question": "case"}),
)

BODIES: Final = (
    b"",
    b"{",
    b"\xff\xfe\x00",
    b'{"subtree": ".", "question": "alerts", "question": ',
    b'{"subtree": NaN, "question": Infinity}',
    DEEP.encode(),
    json.dumps({**ASK, "agency": LONG}).encode(),
    b'{"subtree": "\\ud800", "question": "alerts"}',
)


def _unkind(response: httpx.Response, what: object, *, must_refuse: bool = False) -> list[str]:
    """What is wrong with an answer to hostile input; nothing, as a rule."""
    told = (
        f"{what!r:.200}: {response.status_code} {response.headers.get('content-type')} {response.text[:200]}"
    )
    if response.status_code >= 500 or "Traceback" in response.text:
        return [told]
    if response.status_code < 400:
        return [told] if must_refuse else []
    if not response.request.url.path.startswith("/api/"):
        return []
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return [told]
    problem = response.json()
    return [] if problem["status"] == response.status_code and problem["detail"] else [told]


def test_hostile_input_gets_an_answer_that_says_what_is_wrong(node: Node) -> None:
    unkind: list[str] = []
    for path, params in GETS:
        try:
            answer = node.client.get(path, params=params)
        except httpx.TransportError as error:
            unkind.append(f"{path!r:.200} {params}: {error!r}")
            continue
        unkind += _unkind(answer, (path, params))
    for path, body in POSTS:
        answer = node.client.post(path, json=body)
        unkind += _unkind(answer, (path, body), must_refuse=path != "/api/ask")
    for content in BODIES:
        for path in ("/api/ask", "/api/cases", "/api/publications"):
            answer = node.client.post(path, content=content, headers={"Content-Type": "application/json"})
            unkind += _unkind(answer, (path, content[:60]))
    for path in ("/api/status", "/api/cases/x", "/api/ask"):
        answer = node.client.request("DELETE", path)
        assert answer.status_code == 405, path
        unkind += _unkind(answer, ("DELETE", path))
    assert not unkind, "\n" + "\n".join(unkind)
    # It went on living, and what was refused left no event behind.
    assert node.get("/api/cases")["total"] == 1
    assert len(node.entries("case_event")) == 1
    assert node.get("/api/verification")["verified"] is True
    assert '"event": "http.failed"' not in node.log()


def test_a_huge_body_is_refused_before_it_is_held(node: Node) -> None:
    before = node.status()["rss_mb"]

    def pieces() -> Iterator[bytes]:
        yield b'{"by": "1", "agencies": ['
        for _ in range(200):
            yield b'{"code": "A"},' * 20_000
        yield b'{"code": "B"}]}'

    whole = b"".join(pieces())
    for content in (whole, pieces()):
        try:
            answer = node.client.post(
                "/api/publications", content=content, headers={"Content-Type": "application/json"}
            )
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            continue  # the connection was closed on the sender: just as well
        assert answer.status_code == 413, answer.text[:300]
        assert _unkind(answer, "56 MB") == []
    assert node.status()["rss_mb"] < before + 40
