"""Names on the pages, held against all of the code: looking through it takes seconds. What else pages say is held by ``tests/unit/test_docs.py``."""

from tests.support.documentation.names import unknown_names
from tests.support.documentation.pages import Page, parse_page, read_pages, unused_identifiers
from tests.support.suite.tables import each_row

EACH_PAGE = each_row("page", read_pages(), ids=lambda page: page.name)


@EACH_PAGE
def test_every_short_dotted_name_on_a_page_is_defined_in_the_code(page: Page) -> None:
    assert unknown_names(page) == []


@EACH_PAGE
def test_every_identifier_on_a_page_is_used_in_the_code(page: Page) -> None:
    assert unused_identifiers(page) == []


def test_what_is_not_there_is_found() -> None:
    # The checks would pass on any page if they found nothing on this one.
    page = parse_page("docs/wrong.md", "`site.Site` `site.Syte` `load_kwh` `never_written_anywhere`\n")
    assert unknown_names(page) == ["docs/wrong.md:1 site.Syte"]
    assert unused_identifiers(page) == ["docs/wrong.md:1 never_written_anywhere"]
