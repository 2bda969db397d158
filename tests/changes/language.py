"""A language: Danish for the frame of every page and for errors; what it lacks is English."""

from tests.changes.change import Change, Edit

ITSELF = """name = Dansk
plural = n != 1
plural-forms = one other
decimal-mark = ,
group-mark = .
weekdays = man tir ons tor fre lør søn
"""
FRAME = """skip = Gå til indholdet
language = Sprog
error_title = Det lykkedes ikke
"""
ERROR = """title = Fejl
"""
COUNTED = """headline_fixed =
    { $count ->
        [one] Én ting ligger fast.
       *[other] { $count } ting ligger fast.
    }
"""
PROOF = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from starlette.requests import Request

from luna.energy.errors import NotFoundError
from luna.words.language import Language
from luna.words.numbers import Numbers
from luna.words.pages import page_words
from services.api.pages.layout import Reader, show_error
from tests.support.pages.flat_html import flatten_html


def ask(accepted: str) -> Request:
    headers = [(b"accept-language", accepted.encode())]
    scope = {"type": "http", "method": "GET", "path": "/ui", "query_string": b""}
    return Request({**scope, "headers": headers})


def show(accepted: str) -> str:
    error = NotFoundError("no such site", field="site")
    return show_error(ask(accepted), error).body.decode()


danish = show("da-DK,de;q=0.5")
swedish = show("sv")
assert '<html lang="da">' in danish
assert "<title>Fejl · Luna</title>" in danish
assert "Gå til indholdet" in danish
assert 'lang="da" aria-pressed="true"> Dansk' in flatten_html(danish)
# What Danish lacks, and a language that is not there.
assert page_words("error", "en")("theme_dark") in danish
assert '<html lang="en">' in swedish
assert "<title>Error · Luna</title>" in swedish
assert Reader.of(ask("da")).language == "da"
planning = page_words("planning", "da")
assert planning("headline_fixed", count=1) == "Én ting ligger fast."
assert planning("headline_fixed", count=2) == "2 ting ligger fast."
# Who asks for sentences in it gets its numbers, and in English what it lacks of them.
assert TypeAdapter(Language).validate_python("da") == "da"
numbers = Numbers("da", ZoneInfo("Europe/Copenhagen"), "DKK")
assert numbers.number(1234.5, 1) == "1.234,5"
assert numbers.day(datetime(2024, 5, 23, tzinfo=UTC)) == "tor 23\u00a0May"
"""

CHANGE = Change(
    "a language",
    tuple(
        Edit(f"luna/words/catalogue/da/{topic}.ftl", text)
        for topic, text in {
            "language": ITSELF,
            "every_page": FRAME,
            "error": ERROR,
            "planning": COUNTED,
        }.items()
    ),
    PROOF,
)
