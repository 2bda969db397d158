"""What the catalogues say for a code: tests look for the code's words, whatever they are, and not
for a sentence of their own.
"""

import re

from luna.words.catalogue import CATALOGUE
from luna.words.catalogue.fluent_message import list_figures
from luna.words.language import Language
from luna.words.phrases import Phrases


def wording(topic: str, code: str, language: Language = "en", /, **figures: object) -> str:
    """Return the words of a code with its figures."""
    return Phrases(topic).say(code, language, **figures)


def plain_wording(topic: str, code: str, language: Language = "en", /, **figures: object) -> str:
    """Return the words of a code with its figures, and simple blanks alone."""
    return plain(wording(topic, code, language, **figures))


def plain(text: str) -> str:
    """Return a text with simple blanks in place of those that keep a number at its unit."""
    return text.replace("\u00a0", " ")


def wording_pattern(
    topic: str, code: str, language: Language = "en", /, **figures: object
) -> re.Pattern[str]:
    """Return a pattern of a code's words.

    A figure may be a pattern, one not given may be anything.
    """
    known = {name: figure for name, figure in figures.items() if not isinstance(figure, re.Pattern)}
    patterns = {
        name: figure.pattern for name, figure in figures.items() if isinstance(figure, re.Pattern)
    }
    names = [name for name in list_figures_of(topic, code, language) if name not in known]
    marks = {name: f"\0{place}\0" for place, name in enumerate(names)}
    filled = re.escape(wording(topic, code, language, **known, **marks))
    return re.compile(
        re.sub("\0(\\d+)\0", lambda mark: f"({patterns.get(names[int(mark[1])], '.+?')})", filled),
        re.DOTALL,
    )


def list_figures_of(topic: str, code: str, language: Language = "en") -> list[str]:
    """Return the names of a message's figures."""
    return sorted(set(list_figures(CATALOGUE.read(topic, language)[code].parts)))
