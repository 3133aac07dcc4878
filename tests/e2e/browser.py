"""A real Chromium without a window, driven by chromedriver over the WebDriver protocol (W3C), which is JSON over HTTP."""

import base64
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.e2e.ports import free_port

_START_S: Final = 120.0

_ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--mute-audio",
    # The addresses of this machine as they are, since names of the local network are not resolved in a test.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
    "--window-size=1280,900",
)


class Browser:
    """One window."""

    def __init__(self, client: httpx.Client, session: str, handle: str = "") -> None:
        self._client = client
        self._path = f"/session/{session}"
        self._handle = handle or client.get(f"{self._path}/window").json()["value"]

    def another(self) -> "Browser":
        """Another window of the same browser, beside this one."""
        made = self._post("/window/new", type="window")
        return Browser(self._client, self._path.removeprefix("/session/"), made["handle"])

    def open(self, url: str) -> None:
        self._post("/url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function's body returns in the page; a promise is waited for."""
        return self._post("/execute/sync", script=script, args=list(arguments))

    def cdp(self, method: str, **parameters: Any) -> Any:
        return self._post("/goog/cdp/execute", cmd=method, params=parameters)

    @contextmanager
    def first_on_each_page(self, script: str) -> Iterator[None]:
        """Run a script before any of a page's own, on every page opened inside."""
        added = self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
        try:
            yield
        finally:
            self.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=added)

    def until(self, what: str, script: str, timeout_s: float = 120.0) -> Any:
        """Wait until a function's body returns something true in the page, and return that."""
        end = time.monotonic() + timeout_s
        while True:
            answer = self.run(script)
            if answer:
                return answer
            if time.monotonic() > end:
                words = self.run("return `${location.href}: ${document.body.innerText.slice(0, 500)}`")
                raise AssertionError(
                    f"not within {timeout_s:.0f} s: {what}; last: {answer!r}; the page says {words}"
                )
            time.sleep(0.1)

    def picture(self, path: Path) -> None:
        """A picture of the window."""
        self._here()
        path.write_bytes(base64.b64decode(self._client.get(f"{self._path}/screenshot").json()["value"]))

    def _here(self) -> None:
        """What comes next is for this window."""
        self._client.post(f"{self._path}/window", json={"handle": self._handle})

    def _post(self, path: str, **body: Any) -> Any:
        self._here()
        answer = self._client.post(self._path + path, json=body).json()["value"]
        if isinstance(answer, dict) and "error" in answer and "stacktrace" in answer:
            raise AssertionError(f"{answer['error']}: {answer['message']}")
        return answer


@contextmanager
def chromium(tmp: Path, *more: str) -> Iterator[Browser]:
    """A browser with a profile of its own, ended with the context."""
    driver = shutil.which("chromedriver")
    if driver is None or not (shutil.which("chromium") or shutil.which("chromium-browser")):
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not here: tests/setup.sh installs chromium and chromium-driver")
        pytest.skip("Chromium is not here: install the packages chromium and chromium-driver")
    port = free_port()
    log = tmp / "chromedriver.log"
    with log.open("wb") as out:
        process = subprocess.Popen([driver, f"--port={port}"], stdout=out, stderr=out)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_START_S, trust_env=False)
    session = ""
    try:
        _answers(client, lambda: process.poll() is None, log)
        options = {"args": [*_ARGUMENTS, f"--user-data-dir={tmp / 'profile'}", *more]}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        begun = client.post("/session", json=wanted).json()["value"]
        assert "sessionId" in begun, begun
        session = begun["sessionId"]
        yield Browser(client, session)
    finally:
        with suppress(httpx.HTTPError):
            if session:
                client.delete(f"/session/{session}")
        client.close()
        process.terminate()
        process.wait(30)


def _answers(client: httpx.Client, lives: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and lives():
        with suppress(httpx.HTTPError):
            if client.get("/status").json()["value"]["ready"]:
                return
        time.sleep(0.1)
    raise AssertionError(f"chromedriver did not start: {log.read_text(errors='replace')[-2_000:]}")


def log_in(browser: Browser, url: str, number: str, password: str) -> None:
    """Log in at a node's page."""
    browser.open(f"{url}/login")
    browser.run(
        "document.getElementById('number').value = arguments[0];"
        "document.getElementById('password').value = arguments[1];"
        "document.querySelector('form').submit();",
        number,
        password,
    )
    browser.until("logged in", "return location.pathname === '/' && document.readyState === 'complete'")
