"""Commands of the program, each as a process of its own, with an end by itself."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parent.parent.parent

COMMAND_S: Final = 120.0
"""Longest run of one command."""


def clean_environment(**more: str) -> dict[str, str]:
    """What a process of the program is started with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZONGHENG_")}
    # Else every process compiles the whole program again, which is a quarter of its start.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What ``--json`` printed, on one line."""
        assert self.out.strip(), f"nothing printed by {self}"
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """What ``--json`` printed, an object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def ended(self, code: int) -> Self:
        """Itself; AssertionError unless it ended with ``code``."""
        assert self.code == code, f"ended with {self.code}, not {code}: {self}"
        return self

    def __str__(self) -> str:
        return f"zongheng {' '.join(self.words)} → {self.code}\n--- out\n{self.out[-3000:]}\n--- err\n{self.err[-3000:]}"


def begun(*words: object, **environment: str) -> subprocess.Popen[str]:
    """A command on its way; for those that are killed, and those that must be refused meanwhile."""
    return subprocess.Popen(
        [sys.executable, "-m", "node", *map(str, words)],
        cwd=ROOT,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def zongheng(*words: object, **environment: str) -> Ran:
    """Run one command to its end, as a process of its own."""
    with begun(*words, **environment) as process:
        try:
            out, err = process.communicate(timeout=COMMAND_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(
                f"zongheng {' '.join(map(str, words))}: not done in {COMMAND_S:.0f} s\n{out}\n{err}"
            ) from None
    return Ran(tuple(map(str, words)), process.returncode, out, err)
