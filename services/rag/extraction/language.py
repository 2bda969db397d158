"""In which language a text is written, of the two that Luna speaks.

Function words decide. A library for two languages would bring a model of tens of megabytes, or the tables of seventy languages,
of which Dutch or Danish are found in a German price list; a fifth of any running text are the words below.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Literal

_GERMAN = """der die das und ist nicht mit von zu den dem ein eine einer eines im in auf für sie wird werden sind auch bei nach aus als oder wenn wie kann
    können muss müssen dass nur noch bis zum zur über durch wir ihr ihre ihren sich vor unter keine kein hat haben mehr"""
_ENGLISH = """the and is not with of to a an in on for you it be are this that as at by or if can may must from which when will your we our their has have more
    than into its no only other was were do does should"""
_WORDS = {"de": frozenset(_GERMAN.split()), "en": frozenset(_ENGLISH.split())}
# So many words tell, and so much clearer must one language be; a Dutch or French text has few words of either.
_MOST_WORDS, _LEAST_SHARE, _LEAST_RATIO = 20_000, 0.1, 1.5


def language_of(texts: Iterable[str]) -> Literal["en", "de"] | None:
    """Return the language of most of a text; None where it is too short to tell, mixed, or another one."""
    words = Counter(islice((word.strip(".,;:!?()\"'„“»«|").lower() for text in texts for word in text.split()), _MOST_WORDS))
    letters = sum(count for word, count in words.items() if word.isalpha())
    german, english = (sum(words[word] for word in _WORDS[language]) for language in ("de", "en"))
    most, least = max(german, english), min(german, english)
    if most < 2 or most < _LEAST_SHARE * letters or most < _LEAST_RATIO * least:
        return None
    return "de" if german > english else "en"
