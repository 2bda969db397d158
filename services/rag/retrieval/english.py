"""German text in the English words of the glossary, for embedding models that know English alone.

It is no translation: words in a row, the unknown ones as they were. A passage comes to lie near
what it is about, and it is short: a model of English takes German words apart into many pieces, and
what is beyond its 256 pieces it does not read.
"""

import re

from services.rag.retrieval.terms import in_other_language, translate

_TOKEN = re.compile(r"\w+(?:[.,]\d+)*|[^\w\s]")
_LONGEST = 3


def text_to_embed(text: str, language: str | None, *, speaks_english_alone: bool) -> str:
    """Return what a model is given of a passage: as it is, or in English words where it is German
    and the model knows none.
    """
    return in_english_words(text) if speaks_english_alone and language == "de" else text


def question_to_embed(question: str, *, speaks_english_alone: bool) -> str:
    """Return what a model is given of a question: as it is, and behind it what the glossary has in
    the other language where the model knows English alone.
    """
    return " ".join([question, *(translate(question) if speaks_english_alone else ())])


def in_english_words(text: str) -> str:
    """Return a German text with each word, or run of words, that the glossary knows in English."""
    tokens = _TOKEN.findall(text.replace("ß", "ss"))
    translated = list[str]()
    place = 0
    while place < len(tokens):
        for length in range(_LONGEST, 0, -1):
            english = in_other_language(tokens[place : place + length], "de")
            if english:
                break
        translated.extend(english or tokens[place : place + 1])
        place += length
    return " ".join(translated)
