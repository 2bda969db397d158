"""A language: Dutch for the frame of every page and for errors; what it lacks is English."""

from tests.changes.change import Change, Edit

ITSELF = """name = Nederlands
plural = n != 1
plural-forms = one other
decimal-mark = ,
group-mark = .
weekdays = ma di wo do vr za zo
"""
FRAME = """skip = Naar de inhoud
language = Taal
error_title = Dit is niet gelukt
"""
ERROR = """title = Fout
"""
COUNTED = """headline_fixed =
    { $count ->
        [one] Eén ding ligt vast.
       *[other] { $count } dingen liggen vast.
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


def ask(accepted: str) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/ui", "query_string": b"", "headers": [(b"accept-language", accepted.encode())]})


dutch, danish = (show_error(ask(accepted), NotFoundError("no such site", field="site")).body.decode() for accepted in ("nl-BE,de;q=0.5", "da"))
assert '<html lang="nl">' in dutch
assert "<title>Fout · Luna</title>" in dutch
assert "Naar de inhoud" in dutch
assert 'lang="nl" aria-pressed="true">Nederlands</button>' in dutch
# What Dutch lacks, and a language that is not there.
assert page_words("error", "en")("theme_dark") in dutch
assert '<html lang="en">' in danish
assert "<title>Error · Luna</title>" in danish
assert Reader.of(ask("nl")).language == "nl"
assert [page_words("planning", "nl")("headline_fixed", count=count) for count in (1, 2)] == ["Eén ding ligt vast.", "2 dingen liggen vast."]
# Who asks for sentences in it gets its numbers, and in English what it lacks of them.
assert TypeAdapter(Language).validate_python("nl") == "nl"
numbers = Numbers("nl", ZoneInfo("Europe/Amsterdam"), "EUR")
assert numbers.number(1234.5, 1) == "1.234,5"
assert numbers.day(datetime(2024, 5, 23, tzinfo=UTC)) == "do 23\u00a0May"
"""

CHANGE = Change(
    "a language",
    tuple(
        Edit(f"luna/words/catalogue/nl/{topic}.ftl", text)
        for topic, text in {"language": ITSELF, "every_page": FRAME, "error": ERROR, "planning": COUNTED}.items()
    ),
    PROOF,
)
