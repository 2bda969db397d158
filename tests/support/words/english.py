"""English sentences on a page of another language."""

import re
from html.parser import HTMLParser

# Frequent in English sentences, and words of neither German nor Dutch.
_WORDS = re.compile(
    r"\b(the|and|because|this|that|are|with|from|your|cannot|which|than|nothing|until|does)\b",
    re.IGNORECASE,
)
_READ_ALOUD = frozenset({"alt", "aria-label", "placeholder", "title"})
# Names, values and technical details keep their language.
_AS_WRITTEN = frozenset({"code", "pre", "script", "style", "svg"})
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "wbr"})


class _Texts(HTMLParser):
    """Texts and spoken attributes of a page, without code and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [text for name, text in attrs if name in _READ_ALOUD and text]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if _AS_WRITTEN.isdisjoint(self._open):
            self.texts.append(" ".join(data.split()))


def find_english(page: str) -> list[str]:
    """Return the texts of a page that contain an English word; paths and names do not count."""
    reader = _Texts()
    reader.feed(page)
    return [text for text in reader.texts if " " in text and _WORDS.search(_without_paths(text))]


def _without_paths(text: str) -> str:
    return re.sub(r"\S*[/_]\S*", "", text)
