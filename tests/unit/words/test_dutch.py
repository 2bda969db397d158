"""Dutch: how numbers and days are written, reasons that fit, pages of the browser's language."""

from datetime import UTC, datetime
from string import Formatter
from zoneinfo import ZoneInfo

from starlette.requests import Request

from luna.words import SHORT_LENGTH, list_reason_codes
from luna.words.numbers import Numbers
from luna.words.reason_wordings import find_wordings
from services.api.pages.layout import Reader
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NUMBERS = Numbers("nl", AMSTERDAM, "EUR")
MONDAY = datetime(2027, 5, 3, 17, 15, tzinfo=UTC)


def test_numbers_and_days() -> None:
    said = [
        NUMBERS.number(1234.5, 1),
        NUMBERS.money(2.6),
        NUMBERS.money(-0.4),
        NUMBERS.share(0.72),
        NUMBERS.energy(6.2),
        NUMBERS.price_range(-0.04, 0.02),
        NUMBERS.hours(1.5),
        NUMBERS.day(MONDAY),
        NUMBERS.day_with_year(MONDAY),
    ]
    assert [plain(each) for each in said] == [
        "1.234,5",
        "€ 2,60",
        "€ −0,40",
        "72%",
        "6,2 kWh",
        "−4 tot 2 ct",
        "1,5 uur",
        "ma 3 mei",
        "3 mei 2027",
    ]


@each_row("code", list_reason_codes())
def test_every_reason_has_wordings_of_the_same_figures_that_fit(code: str) -> None:
    for short in (False, True):
        english, dutch = (
            [_read_names(each.text) for each in find_wordings(code, language, short=short)]
            for language in ("en", "nl")
        )
        assert dutch == english
    last = find_wordings(code, "nl", short=True)[-1].text
    assert 0 < len(last) <= SHORT_LENGTH
    assert not last.endswith(".")


def test_a_browser_that_prefers_dutch_gets_it() -> None:
    headers = [(b"accept-language", b"nl-BE,nl;q=0.9,en;q=0.8")]
    request = Request(
        {"type": "http", "method": "GET", "path": "/ui", "query_string": b"", "headers": headers}
    )
    assert Reader.of(request).language == "nl"


def _read_names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
