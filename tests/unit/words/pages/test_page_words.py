"""What pages say: in both languages with the same figures, and nothing that no page says."""

import re
from importlib.resources import files
from pathlib import Path
from pkgutil import iter_modules
from string import Formatter

import pytest

import luna.words.pages
from luna.energy.errors import InvalidInputError
from luna.words.pages import page_words
from tests.tables import each_row

MODULES = [module.name for module in iter_modules(luna.words.pages.__path__)]


def phrases(module: str) -> dict[str, tuple[str, str]]:
    return __import__(f"luna.words.pages.{module}", fromlist=["PHRASES"]).PHRASES


@each_row("module", MODULES)
def test_both_languages_name_the_same_figures(module: str) -> None:
    for name, phrase in phrases(module).items():
        english, german = ({field for _, field, _, _ in Formatter().parse(text) if field} for text in phrase)
        assert english == german, name


def test_every_phrase_of_every_page_is_said_somewhere() -> None:
    folder = Path(str(files("services.api.pages")))
    sources = [file.read_text(encoding="utf-8") for file in folder.rglob("*") if file.suffix in {".py", ".j2"}]
    said = {name for source in sources for name in re.findall(r'"(\w+?)"', source)}
    begun = {name for source in sources for name in re.findall(r'"(\w+_)"', source)}
    unused = {f"{module}.{name}" for module in MODULES for name in phrases(module) if name not in said and not name.startswith(tuple(begun))}
    assert not unused


def test_a_phrase_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match="no such phrase"):
        page_words("home", "en")("nonsense")
