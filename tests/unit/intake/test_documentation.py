"""docs/import.md says what is so: every example gives what is printed under it, every key and word is there."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from federation.errors import CATALOGUE
from node.intake import mapping, published
from node.intake.vocabulary import vocabulary

PAGE = Path(__file__).resolve().parents[3] / "docs" / "import.md"
EXAMPLE = re.compile(
    r"^```(?:csv|xml|json) (?P<name>\S+)\n(?P<file>.*?)^```\n+```toml\n(?P<mapping>.*?)^```\n+```text\n(?P<result>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
EXAMPLES = {match["name"]: match for match in EXAMPLE.finditer(PAGE.read_text(encoding="utf-8"))}
MODELS = [
    model
    for model in vars(mapping).values()
    if isinstance(model, type)
    and issubclass(model, BaseModel)
    and model.__module__ in (mapping.__name__, published.__name__)
]


def test_every_mapping_on_the_page_is_an_example_that_is_run() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```toml") >= 10


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_is_printed_under_it(name: str, translate: Callable[..., list[str]]) -> None:
    example = EXAMPLES[name]
    assert translate(example["mapping"], name, example["file"]) == example["result"].splitlines()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_of_a_mapping_is_documented(model: type[BaseModel]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key != "digest":
            assert re.search(rf"`{key}`|\[\[?{key}|`{key} = |\.{key}\]|{{ {key} = |, {key} = ", page), key


def test_every_kind_and_attribute_of_approval_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind, attributes in vocabulary("approval").kinds.items():
        assert f"| `{kind}` |" in page
        for name in attributes:
            assert f"`{name}`" in page or name.startswith("promised_"), name


def test_every_code_of_rejection_is_one_of_the_catalogue() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## What is rejected")[1].split("\n## ")[0]
    codes = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert len(codes) == 9
    assert set(codes) <= CATALOGUE.keys()
