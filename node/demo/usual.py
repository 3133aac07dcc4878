"""The usual course of a case: as long as cases take, and what happens to a clean one now and then."""

from dataclasses import replace
from random import Random
from typing import Final

from node.demo.items import Matter, Task
from node.demo.places import Place
from node.demo.turn import Break, Turn

_CAUTION: Final = 0.85
"""Share of clean cases that stay three days clear of every limit of the case."""


def usual(random: Random, matter: Matter, place: Place) -> Turn:
    """A clean case: as long as cases take, a few filed online, a few corrected once, paused or collected later."""
    paused = bool(matter.pause_kind) and random.random() < 0.4
    # A pause that begins on the due day moves nothing any more, so a case that takes one keeps clear of its end.
    careful = paused or random.random() < _CAUTION
    use: dict[str, tuple[int, ...]] = {}
    for stage, tasks in matter.stages.items():
        if matter.rises:
            days = dict(zip(matter.stages, matter.desk_days, strict=False))[stage] - 1
        elif matter.natural:
            days = 1
        else:
            days = max(0, matter.promised - 3) if careful else matter.promised
        use[stage] = split(random, tasks, random.randint(0, days))
    corrected = not matter.rises and matter.promised > 0 and random.random() < 0.08
    return Turn(
        online=place.tier in ("county", "city") and not corrected and random.random() < 0.35,
        pre_acceptance_after=random.choice((0, 0, 1)),
        corrections=1 if corrected else 0,
        told_after=random.randint(0, 3),
        refused=not matter.rises and matter.promised > 0 and random.random() < 0.02,
        use=use,
        pause=Break(random.randint(4, 9), 12) if paused else None,
        collected_after=random.choice((None, 0, 1, 2)),
        returned=matter.rises and random.random() < 0.06,
    )


def split(random: Random, tasks: tuple[Task, ...], days: int) -> tuple[int, ...]:
    """Spread days over steps at random, within each step's limit; what no step may take is not spent."""
    use = [0 for _ in tasks]
    for _ in range(days):
        free = [index for index, task in enumerate(tasks) if task.days is None or use[index] < task.days]
        if free:
            use[random.choice(free)] += 1
    return tuple(use)


def plain(random: Random, matter: Matter, place: Place) -> Turn:
    """The usual, without anything that could hide or blur the fault."""
    return replace(
        usual(random, matter, place),
        online=False,
        corrections=0,
        refused=False,
        pause=None,
        returned=False,
    )


def quick(random: Random, matter: Matter, place: Place) -> Turn:
    """Done in so few days that no clock comes near its end: the fault stands alone."""
    quick = {stage: tuple(0 for _ in tasks) for stage, tasks in matter.stages.items()}
    return replace(plain(random, matter, place), use=quick)
