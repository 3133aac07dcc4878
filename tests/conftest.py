"""What every kind of test shares: where the real logs are, the repository's root, and how long Hypothesis looks.

``--fuzz N`` (`make fuzz`) keeps only the properties and state machines, and lets each try N times as many examples.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile("zongheng", deadline=None)
settings.load_profile("zongheng")

pytest_plugins = [
    "tests.plugins.cameras",
    "tests.plugins.disk",
    "tests.plugins.onvif",
    "tests.plugins.postgres",
]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real logs beside the project; the test skips, saying so, where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real logs are not here: {folder} does not exist")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=0, metavar="N", help="properties only, N times the examples")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    times = config.getoption("--fuzz")
    if not times:
        return
    kept = []
    for item in items:
        machine = getattr(getattr(item, "cls", None), "settings", None)
        test = getattr(item, "obj", None)
        test = getattr(test, "__func__", test)
        if isinstance(machine, settings):
            item.cls.settings = _longer(machine, times)  # type: ignore[attr-defined]
        elif is_hypothesis_test(test):
            test._hypothesis_internal_use_settings = _longer(test._hypothesis_internal_use_settings, times)
        else:
            continue
        item.add_marker(pytest.mark.timeout(0))
        kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _longer(usual: settings, times: int) -> settings:
    return settings(
        usual,
        max_examples=usual.max_examples * times,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
