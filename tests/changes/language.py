"""A language: Danish for the frame of every page and for errors; what it lacks is English, what does not come of a catalogue yet too."""

from tests.changes.change import Change, Edit

ITSELF = """name = Dansk
plural = n != 1
plural-forms = one other
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
from starlette.requests import Request

from luna.energy.errors import NotFoundError
from luna.words.pages import page_words
from services.api.pages.layout import Reader, show_error


def ask(accepted: str) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/ui", "query_string": b"", "headers": [(b"accept-language", accepted.encode())]})


danish, swedish = (show_error(ask(accepted), NotFoundError("no such site", field="site")).body.decode() for accepted in ("da-DK,de;q=0.5", "sv"))
assert '<html lang="da">' in danish
assert "<title>Fejl · Luna</title>" in danish
assert "Gå til indholdet" in danish
assert 'lang="da" aria-pressed="true">Dansk</button>' in danish
# What Danish lacks, and a language that is not there.
assert page_words("error", "en")("theme_dark") in danish
assert '<html lang="en">' in swedish
assert "<title>Error · Luna</title>" in swedish
assert Reader.of(ask("da")).language == "en"
assert [page_words("planning", "da")("headline_fixed", count=count) for count in (1, 2)] == ["Én ting ligger fast.", "2 ting ligger fast."]
"""

CHANGE = Change(
    "a language",
    tuple(
        Edit(f"luna/words/catalogue/da/{topic}.ftl", text)
        for topic, text in {"language": ITSELF, "every_page": FRAME, "error": ERROR, "planning": COUNTED}.items()
    ),
    PROOF,
)
