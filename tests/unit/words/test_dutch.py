"""What Luna says to a reader of Dutch: numbers and days as they are written there, sentences with their figures, pages of the browser's language."""

from datetime import UTC, datetime
from string import Formatter
from zoneinfo import ZoneInfo

from starlette.requests import Request

from luna.energy.refusals import refuse
from luna.words import SHORT_LENGTH, list_reason_codes, sentence
from luna.words.messages import say_message
from luna.words.modes import say_mode
from luna.words.numbers import Numbers
from luna.words.reason_wordings import find_wordings
from luna.words.refusals import say_refusal
from services.api.pages.layout import Reader
from tests.support.suite.tables import each_row

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NUMBERS = Numbers("nl", AMSTERDAM, "EUR")
MONDAY = datetime(2027, 5, 3, 17, 15, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


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
    assert [plain(each) for each in said] == ["1.234,5", "€ 2,60", "€ −0,40", "72%", "6,2 kWh", "−4 tot 2 ct", "1,5 uur", "ma 3 mei", "3 mei 2027"]


def test_a_reason_a_message_and_a_refusal() -> None:
    figures = {"kwh": 5.2, "buy": 0.08, "price": 0.31, "time": MONDAY, "start": MONDAY}
    reason = sentence("charge_cheap", figures, language="nl", zone=AMSTERDAM, currency="EUR")
    assert plain(reason) == "Koopt 5,2 kWh tegen 8 ct, bestemd voor 19:15: dan levert een kWh 31 ct op."
    cheap = {"start": MONDAY, "end": MONDAY.replace(hour=19), "price": 0.081, "usual": 0.245}
    told = say_message("cheap_hours", cheap, site="Huis", numbers=NUMBERS)
    assert plain(told.text) == "Huis: van ma 19:15 tot ma 21:15 kost stroom gemiddeld 8,1 ct per kWh, over de hele dag 24,5 ct."
    assert say_refusal(refuse("no-such-place", field="place", value="x"), "nl").sentence == "Deze plaats is onbekend."
    assert say_mode("export", language="nl") == "Verkopen"


@each_row("code", list_reason_codes())
def test_every_reason_has_wordings_of_the_same_figures_that_fit(code: str) -> None:
    for short in (False, True):
        english, dutch = ([_read_names(each.text) for each in find_wordings(code, language, short=short)] for language in ("en", "nl"))
        assert dutch == english
    last = find_wordings(code, "nl", short=True)[-1].text
    assert 0 < len(last) <= SHORT_LENGTH
    assert not last.endswith(".")


def test_a_browser_that_prefers_dutch_gets_it() -> None:
    headers = [(b"accept-language", b"nl-BE,nl;q=0.9,en;q=0.8")]
    request = Request({"type": "http", "method": "GET", "path": "/ui", "query_string": b"", "headers": headers})
    assert Reader.of(request).language == "nl"


def _read_names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
