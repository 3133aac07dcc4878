"""Starts the player of another make (`gst_player`), and readies a node for it."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.tree import Node


def away_from_loopback(node: Node, workers: int = 0) -> Node:
    """Have players told this machine's own address: GStreamer has none on loopback. ``workers``: processes of its own for viewers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        address = probe.getsockname()[0]
    with (node.folder / "node.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'\n[webrtc]\naddresses = ["{address}"]\nworkers = {workers}\n')
    return node


def gstreamer(*words: str) -> "subprocess.Popen[str]":
    """The player with these words, on its way."""
    python = "/usr/bin/python3"
    there = (
        shutil.which("gst-inspect-1.0") is not None
        and not subprocess.run(
            [python, "-c", "import gi; gi.require_version('GstWebRTC', '1.0')"],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not there:
        if os.environ.get("CI") == "true":
            pytest.fail("GStreamer is not here: tests/setup.sh installs it")
        pytest.skip("GStreamer with webrtcbin and its Python bindings is not here: run tests/setup.sh")
    script = Path(__file__).with_name("gst_player.py")
    return subprocess.Popen(
        [python, str(script), *words], stdout=subprocess.PIPE, stderr=sys.stderr, text=True
    )
