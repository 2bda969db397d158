"""What the catalogue says: in every language the same names and figures, nothing that nobody says,
and a language by its folder alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE, ENGLISH, ITSELF, Catalogue
from luna.words.catalogue.fluent_message import Choice, Part, list_figures, parse
from luna.words.pages import PageWords, page_words
from luna.words.phrases import DEVICE_TOPICS
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

TOPICS = CATALOGUE.topics(ENGLISH)
OTHERS = [language for language in CATALOGUE.languages if language != ENGLISH]
# Of which a language says what it takes: tests/unit/energy/test_refusals.py holds the figures to
# those that are given.
FREE_IN_FIGURES = {"refusals"}


def _read_sources(*packages: str) -> str:
    paths = (path for package in packages for path in Path(str(files(package))).rglob("*"))
    return "\n".join(
        path.read_text(encoding="utf-8") for path in paths if path.suffix in {".py", ".j2"}
    )


def _names_in(text: str) -> set[str]:
    """Return names, and beginnings of names whose rest is a code."""
    return set(re.findall(r"""["']([A-Za-z][\w-]*?)["'{]""", text))


PAGES = _read_sources("services")
CODE = _read_sources("luna", "services")
ON_PAGES = _names_in(PAGES)
# Fields of a home are named by the models that declare them.
IN_CODE = _names_in(CODE) | set(re.findall(r"^    (\w+): ", CODE, re.MULTILINE))
BEGINNINGS = tuple(name for name in ON_PAGES if name.endswith("_"))
ENDINGS = set(re.findall(r"""["'}](_[a-z]+)["']""", CODE))
# Documentation of kinds of devices, which is English.
IN_ENGLISH_ALONE = ("field_", "default_")


def _list_prefixes() -> dict[str, set[str]]:
    """Return by topic what names of its messages begin with where a code is the rest:
    ``Phrases("modes", "policy_")``.
    """
    found: dict[str, set[str]] = {topic: set() for topic in CATALOGUE.topics("de")}
    for one, several, prefix in re.findall(
        r"""Phrases\(\s*(?:"(\w+)"|\(([^)]+)\))(?:, "(\w+)")?""", CODE
    ):
        for topic in re.findall(r"\w+", one or several):
            found[topic].add(prefix)
    with_each_kind = {"setup_", "role_", *re.findall(r"""[ (]devices="(\w+_)\"""", CODE)}
    return found | dict.fromkeys(DEVICE_TOPICS, with_each_kind)


PREFIXES = _list_prefixes()
# Topics that are read as texts.
TEXTS = sorted(set(re.findall(r"""read_texts\("(\w+)\"""", CODE)))


def _is_named(code: str) -> bool:
    """Return whether the code has it as a whole, or the parts that it is made of.

    The place of a wording is no part.
    """
    code = re.sub(r"_\d$", "", code)
    parts = (
        (code[:place], code[place + 1 :]) for place, letter in enumerate(code) if letter == "_"
    )
    return bool({code, f"{code}_"} & IN_CODE) or any(
        ({other, f"_{other}"} & (IN_CODE | ENDINGS)) and _is_named(one) for one, other in parts
    )


def figures_of(topic: str, language: str) -> dict[str, frozenset[str]]:
    """Return the figures of each message; whatever cannot be read is an error."""
    return {
        name: frozenset(list_figures(message.parts))
        for name, message in CATALOGUE.read(topic, language).items()
    }


def write(folder: Path, texts: Mapping[str, str]) -> Catalogue:
    for path, text in texts.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return Catalogue(folder)


def test_english_and_german_are_there() -> None:
    assert CATALOGUE.languages[:2] == ("en", "de")
    assert CATALOGUE.name("de") == "Deutsch"


@each_row("topic", TOPICS)
def test_every_language_has_every_phrase_with_the_same_figures(topic: str) -> None:
    for language in OTHERS:
        alone = IN_ENGLISH_ALONE if topic in DEVICE_TOPICS else ()
        english = {
            name: figures
            for name, figures in figures_of(topic, ENGLISH).items()
            if not name.startswith(alone)
        }
        said = figures_of(topic, language)
        assert set(said) == set(english), language
        assert said == english or topic in FREE_IN_FIGURES, language


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_no_language_has_a_topic_or_a_line_that_is_none(language: str) -> None:
    assert set(CATALOGUE.topics(language)) == set(TOPICS)
    for topic in CATALOGUE.topics(language):
        text = (Path(str(files("luna.words.catalogue"))) / language / f"{topic}.ftl").read_text(
            encoding="utf-8"
        )
        # Begun at the first column: a comment, or the name of a message that is there once.
        begun = [
            line.partition(" ")[0]
            for line in text.splitlines()
            if line and not line.startswith((" ", "#"))
        ]
        assert begun == list(CATALOGUE.read(topic, language)), topic


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_every_choice_has_the_plural_forms_of_its_language(language: str) -> None:
    forms = set(CATALOGUE.read(ITSELF, language)["plural-forms"]({}).split())
    faults = []
    for topic in CATALOGUE.topics(language):
        for name, message in CATALOGUE.read(topic, language).items():
            for choice in _list_choices(message.parts):
                # A number of its own, such as none, may have its own words.
                named = {form for form in choice.wordings if not form.isdigit()}
                faults += [] if named == forms else [f"{topic}: {name}"]
    assert faults == []


def _list_choices(parts: Sequence[Part]) -> Iterator[Choice]:
    for choice in (part for part in parts if isinstance(part, Choice)):
        yield choice
        for wording in choice.wordings.values():
            yield from _list_choices(wording)


def test_every_phrase_is_said_somewhere() -> None:
    pages = [
        topic for topic in TOPICS if topic != ITSELF and not PREFIXES[topic] and topic not in TEXTS
    ]
    assert [
        f"{topic}: {name}"
        for topic in pages
        for name in CATALOGUE.read(topic, ENGLISH)
        if name not in ON_PAGES and not name.startswith(BEGINNINGS)
    ] == []


@each_row("topic", TEXTS)
def test_every_text_is_read_somewhere(topic: str) -> None:
    # By its name, by the parts that it is made of, or as templates read it.
    assert [
        name
        for name in CATALOGUE.read(topic, ENGLISH)
        if not _is_named(name) and f"text.{name}" not in PAGES
    ] == []


# Names of tasks have dots in the code: tests/unit/words/test_tasks.py.
@each_row("topic", [topic for topic in PREFIXES if PREFIXES[topic] and topic != "tasks"])
def test_every_message_under_a_code_belongs_to_one_that_code_names(topic: str) -> None:
    # What English alone says is asked for by the fields of contracts and devices.
    codes = {
        name: {name.removeprefix(prefix) for prefix in PREFIXES[topic] if name.startswith(prefix)}
        for name in CATALOGUE.read(topic, "de")
    }
    assert [name for name, each in codes.items() if not any(map(_is_named, each))] == []


@each_row("language", CATALOGUE.languages if LONG else ["de"])
def test_a_message_of_one_line_is_read_as_the_parser_reads_it(language: str) -> None:
    messages = [
        message
        for topic in CATALOGUE.topics(language)
        for message in CATALOGUE.read(topic, language).values()
    ]
    assert [message.parts for message in messages] == [
        parse(message.source) for message in messages
    ]


def test_a_phrase_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match="no such phrase"):
        page_words("home", "en")("nonsense")


def test_figures_are_said_as_they_are_given_and_braces_stay() -> None:
    assert (
        page_words("home", "de")("step_supply", name="Batterie", kwh="1.900,5 {kWh}")
        == "Batterie gibt dem Haus 1.900,5 {kWh}"
    )
    assert page_words("admin", "en")("all_tables", count=19000) == "19000 tables"
    assert page_words("admin", "en")("source_dotenv") == ".env"
    assert page_words("what_ifs", "en")("battery_0.5") == "half the size"


def test_a_language_is_there_once_its_folder_is_and_lacks_what_english_says(tmp_path: Path) -> None:
    shared = {
        "en/language.ftl": "name = English\nplural = n != 1\nplural-forms = one other\n",
        "en/every_page.ftl": "skip = Skip\ntheme = Appearance\n",
    }
    assert write(tmp_path, shared | {"en/home.ftl": "title = Home\nnow = Now\n"}).languages == (
        "en",
    )
    polish = (
        "name = Polski\nplural = n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : "
        "2\nplural-forms = one few many\n"
    )
    counted = (
        "now = { $n ->\n    [0] nic\n    [one] { $n } plik\n    [few] { $n } pliki\n   *[many] "
        "{ $n } plików\n }\n"
    )
    both = write(tmp_path, {"pl/language.ftl": polish, "pl/home.ftl": counted})

    assert both.languages == ("en", "pl")
    said = PageWords("home", "pl", both)
    assert [said("now", n=n) for n in (0, 1, 2, 5, 22, 112)] == [
        "nic",
        "1 plik",
        "2 pliki",
        "5 plików",
        "22 pliki",
        "112 plików",
    ]
    assert (said("title"), said("skip")) == ("Home", "Skip")
    assert PageWords("home", "fr", both)("now") == "Now"


@pytest.mark.parametrize(
    "text",
    ["now = { -term }", "now = { NUMBER($n) }", "now = { $n", "now =\n    .title = x"],
    ids=["term", "function", "open", "attribute"],
)
def test_what_is_not_read_of_fluent_is_refused(text: str, tmp_path: Path) -> None:
    page = PageWords("home", "en", write(tmp_path, {"en/home.ftl": text + "\n"}))
    with pytest.raises(InvalidInputError, match="cannot be read"):
        page("now", n=1)
