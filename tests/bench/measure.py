"""What a benchmark is: a named function that measures this program and, in the same run, what stands beside it.

A file ``tests/bench/bench_*.py`` says::

    from measure import Measured, Workspace, benchmark

    @benchmark("intake.sqlite", unit="events/s", aim=50_000, better="higher")
    def intake_sqlite(workspace: Workspace) -> Measured:
        ...
        return Measured(ours, beside="sqlite3.executemany", beside_value=theirs)

The function may be async. It gets an empty folder that is removed afterwards. A benchmark that fails, or whose answer
is not a finite positive number, has no result: it is named at the end and the run ends with 1; the others still run.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a benchmark may use."""

    folder: Path
    """Empty, of its own, on the disk that the repository lies on."""
    repository: Path
    shared: Path
    """Folder of the real logs beside the project; it may be absent."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A benchmark's answer; both values are in the benchmark's unit."""

    value: float
    beside: str | None = None
    """The peer or limit that was measured in the same run, in words."""
    beside_value: float | None = None

    def __post_init__(self) -> None:
        if (self.beside is None) is not (self.beside_value is None):
            raise ValueError("a peer comes with its value and a value with its peer")
        for number in (self.value, self.beside_value):
            if number is not None and not (math.isfinite(number) and number > 0):
                raise ValueError(f"{number} is not a measurement")


@dataclass(frozen=True, slots=True)
class Result:
    """One row of bench-results.json."""

    name: str
    value: float
    unit: str
    aim: float | None
    beside: str | None
    beside_value: float | None
    ratio: float | None
    """value ÷ beside_value."""


Function = Callable[[Workspace], Measured | Awaitable[Measured]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark as registered."""

    name: str
    unit: str
    aim: float | None
    better: Better
    function: Function

    def result(self, measured: Measured) -> Result:
        """The row that goes into the results."""
        ratio = None if measured.beside_value is None else measured.value / measured.beside_value
        return Result(
            self.name, measured.value, self.unit, self.aim, measured.beside, measured.beside_value, ratio
        )

    def reached(self, value: float) -> bool | None:
        """Whether the aim was reached; None where there is none."""
        if self.aim is None:
            return None
        return value >= self.aim if self.better == "higher" else value <= self.aim


REGISTRY: Final[dict[str, Benchmark]] = {}
"""Every benchmark that was imported, by name."""


def benchmark(
    name: str, *, unit: str, better: Better, aim: float | None = None
) -> Callable[[Function], Function]:
    """Registers the function under a name like ``part.what``; the aim is in the same unit as the value."""

    def register(function: Function) -> Function:
        if name in REGISTRY:
            raise ValueError(f"two benchmarks are called {name}")
        REGISTRY[name] = Benchmark(name, unit, aim, better, function)
        return function

    return register


def as_json(result: Result) -> dict[str, Any]:
    """The row with its keys in the order they are documented in."""
    return {
        "name": result.name,
        "value": result.value,
        "unit": result.unit,
        "aim": result.aim,
        "beside": result.beside,
        "beside_value": result.beside_value,
        "ratio": result.ratio,
    }
