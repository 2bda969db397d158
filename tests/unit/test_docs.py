"""The pages tell the truth: what they name exists."""

import re
from functools import cache

import pytest

from docs import reference
from luna.platform.objects.store import ObjectStore
from luna.platform.settings import Settings
from luna.platform.settings.model import Deployment
from luna.words.language import Language
from luna.words.modes import MODES, mode
from tests.support.documentation.commands import faults_of_luna, faults_of_make, find_commands
from tests.support.documentation.guide import (
    NAMES,
    code_of,
    guide_page,
    long_paragraphs,
    named_codes,
    outline,
    unknown_routes,
    wrong_examples,
    wrong_requests,
)
from tests.support.documentation.pages import (
    ROOT,
    Page,
    broken_links,
    missing_in_trees,
    missing_names,
    missing_paths,
    missing_tests,
    named_tests,
    parse_page,
    read_page,
    read_pages,
)
from tests.support.suite.tables import each_row

_VARIABLE = re.compile(r"\bLUNA_[A-Z0-9_]*[A-Z0-9]\b")
# Where variables that are no settings are read: those of tests, benches and scripts.
_READERS = (
    "luna/platform/clock.py",
    "services/cli/main.py",
    "bench/**/*.py",
    "tests/**/*.py",
    "infra/**/*",
    ".ci/*",
    "docker-compose*.yml",
)


def unknown_settings(page: Page) -> list[str]:
    """Name every variable on the page that nothing reads."""
    texts = [(span.place, span.text) for span in page.spans]
    return [
        f"{place} {name}"
        for place, text in texts
        for name in _VARIABLE.findall(text)
        if name not in known_variables()
    ]


@cache
def known_variables() -> frozenset[str]:
    """Return every variable that has a reader: settings and their files, the compose file's, those
    of tests, benches and scripts.
    """
    settings = {f"LUNA_{name.upper()}" for name in Settings.model_fields}
    compose = {name.upper() for name in Deployment.model_fields}
    return frozenset(settings | {f"{name}_FILE" for name in settings} | compose | _read_elsewhere())


def _read_elsewhere() -> set[str]:
    files = [
        path
        for pattern in _READERS
        for path in ROOT.glob(pattern)
        if path.is_file() and path.name != "test_docs.py"
    ]
    return {
        name
        for path in files
        for name in _VARIABLE.findall(path.read_text(encoding="utf-8", errors="replace"))
    }


LANGUAGES = ("en", "de")


def list_guide_pages() -> list[Page]:
    return [guide_page(language, name) for language in LANGUAGES for name in NAMES]


@cache
def read_reference() -> dict[str, str]:
    return reference.render()


EACH_GUIDE_PAGE = each_row("page", list_guide_pages, ids=lambda page: page.name)
EACH_PAGE = each_row("page", read_pages, ids=lambda page: page.name)


@EACH_PAGE
def test_every_path_on_a_page_is_in_the_repository(page: Page) -> None:
    assert missing_paths(page) == []


@EACH_PAGE
def test_every_module_and_function_on_a_page_can_be_imported(page: Page) -> None:
    assert missing_names(page) == []


@EACH_PAGE
def test_every_test_on_a_page_is_in_its_file(page: Page) -> None:
    assert missing_tests(page) == []


@pytest.mark.parametrize(("page", "count"), [("features", 23), ("practice", 35)])
def test_every_row_that_is_promised_is_held_by_a_test(page: str, count: int) -> None:
    rows = re.findall(
        r"^\| (\d+) \|(.*)$",
        (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert [int(number) for number, _ in rows] == list(range(1, count + 1))
    assert [number for number, row in rows if not named_tests(row)] == []


def test_every_package_of_helpers_is_on_the_page_about_tests() -> None:
    packages = {path.name for path in (ROOT / "tests/support").iterdir() if any(path.glob("*.py"))}
    listed = set(
        re.findall(
            r"^\| `(\w+)` \|", (ROOT / "docs/testing.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert listed == packages


@EACH_PAGE
def test_every_map_of_folders_on_a_page_is_that_of_the_repository(page: Page) -> None:
    assert missing_in_trees(page) == []


@EACH_PAGE
def test_every_link_within_the_repository_leads_somewhere(page: Page) -> None:
    assert broken_links(page) == []


@EACH_PAGE
def test_every_command_of_luna_on_a_page_is_in_the_command_tree_with_its_options(
    page: Page,
) -> None:
    assert [
        fault for command in find_commands(page, "luna") for fault in faults_of_luna(command)
    ] == []


@EACH_PAGE
def test_every_target_and_variable_of_make_on_a_page_is_in_the_makefile(page: Page) -> None:
    assert [
        fault for command in find_commands(page, "make") for fault in faults_of_make(command)
    ] == []


@EACH_PAGE
def test_every_setting_on_a_page_is_read_by_something(page: Page) -> None:
    assert unknown_settings(page) == []


@EACH_PAGE
def test_every_route_on_a_page_is_one_of_the_gateway(page: Page) -> None:
    assert unknown_routes(page) == []


@each_row("name", read_reference)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    # make reference writes it anew.
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == read_reference()[name]


@EACH_GUIDE_PAGE
def test_paragraphs_of_the_guide_are_short(page: Page) -> None:
    assert long_paragraphs(page) == []


@EACH_GUIDE_PAGE
def test_every_example_of_a_site_in_the_guide_is_one(page: Page) -> None:
    assert wrong_examples(page) == []


@EACH_GUIDE_PAGE
def test_every_example_of_a_request_in_the_guide_is_one(page: Page) -> None:
    assert wrong_requests(page) == []


@each_row("name", NAMES)
def test_both_languages_of_the_guide_have_the_same_headings_commands_and_names(name: str) -> None:
    english, german = (guide_page(language, name) for language in LANGUAGES)
    assert outline(german) == outline(english)
    assert code_of(german) == code_of(english)
    assert named_codes(german) == named_codes(english)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_calls_each_mode_as_plans_do(language: Language) -> None:
    page = (ROOT / "docs" / "guide" / language / "plan.md").read_text(encoding="utf-8")
    assert [
        code for code in MODES if f"| {mode(code, language=language).full} | `{code}` |" not in page
    ] == []


def test_every_page_of_the_guide_is_in_the_website() -> None:
    listed = re.findall(
        r"guide/(en|de)/([\w-]+\.md)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    )
    assert sorted(listed) == sorted((language, name) for language in LANGUAGES for name in NAMES)


def test_decision_records_are_listed_under_their_numbers_and_missing_numbers_are_named() -> None:
    listed = read_page("docs/decisions/README.md").prose
    text = "\n".join(line for _, line in listed)
    numbers = sorted(path.name[:4] for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    every = [f"{number:04}" for number in range(1, int(numbers[-1]) + 1)]
    assert [number for number in every if number not in text] == []
    assert sorted(re.findall(r"^- \[(\d{4})\]", text, re.MULTILINE)) == numbers


@each_row("name", sorted(path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md")))
def test_a_decision_record_is_short_and_has_its_parts(name: str) -> None:
    text = (ROOT / "docs/decisions" / name).read_text(encoding="utf-8")
    assert len(text.split()) <= 350
    parts = re.findall(r"^\*\*(Context|Decision|Consequences|Check)\.\*\*", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences", "Check"]
    assert len(re.findall(r"^\|(?:-+\|)+$", text, re.MULTILINE)) <= 1


def test_the_record_of_objects_names_every_method_of_a_store() -> None:
    named = {span.text for span in read_page("docs/decisions/0011-plain-s3.md").spans}
    assert {name for name in vars(ObjectStore) if not name.startswith("_")} <= named


def test_what_is_not_there_is_found() -> None:
    # The checks would pass on any page if they found nothing on this one.
    page = parse_page(
        "docs/wrong.md",
        "`luna.energy.site.Site` `timeline.Timeline` `luna/nowhere.py` "
        "`luna/<noun>/model.py` `nowhere.py` `luna.energy.site.Nothing` "
        "`luna.energy.site.Site` "
        "`LUNA_NOTHING` `tests/unit/test_docs.py::no_test` "
        "`tests/unit/platform/test_telemetry.py::test_a_count_of_tokens_is_no_secret` "
        "[gone](gone.md) `DELETE /plans/1`\n"
        "```\nluna/\n  nowhere/\n```\n"
        "```\nluna forecast trian --site home && make nothing NAMES=x\n```\n"
        "`luna data backfill|mend --site home --wrong 1 …`\n",
    )
    assert [fault.split()[1] for fault in missing_paths(page)] == ["luna/nowhere.py", "nowhere.py"]
    assert missing_names(page) == ["docs/wrong.md:1 luna.energy.site.Nothing"]
    assert missing_tests(page) == ["docs/wrong.md:1 tests/unit/test_docs.py::no_test"]
    assert missing_in_trees(page) == ["docs/wrong.md:3 luna/nowhere/"]
    assert broken_links(page) == ["docs/wrong.md:1 gone.md"]
    assert unknown_routes(page) == ["docs/wrong.md:1 DELETE /plans/1"]
    assert unknown_settings(page) == ["docs/wrong.md:1 LUNA_NOTHING"]
    assert [
        fault.rpartition(": ")[2]
        for command in find_commands(page, "luna")
        for fault in faults_of_luna(command)
    ] == [
        "forecast has no command trian",
        "there is no option --wrong",
        "data has no command mend",
    ]
    assert [
        fault.rpartition(": ")[2]
        for command in find_commands(page, "make")
        for fault in faults_of_make(command)
    ] == ["nothing"]


def test_the_types_of_the_pages_scripts_are_what_the_gateway_says() -> None:
    # make reference writes them anew.
    assert reference.SCRIPT_TYPES.read_text(encoding="utf-8") == reference.render_script_types()
