"""Put German text into the glossary's English words for English-only embedding models.

It is no translation: words in a row, unknown ones unchanged. It brings a passage near its subject,
and keeps it short: a model of English splits German words into many pieces, and reads 256 pieces
at most.
"""

import re

from services.rag.retrieval.terms import in_other_language, translate

_TOKEN = re.compile(r"\w+(?:[.,]\d+)*|[^\w\s]")
_LONGEST = 3


def text_to_embed(text: str, language: str | None, *, speaks_english_alone: bool) -> str:
    """Return a passage's text, with German in English words for an English-only model."""
    return in_english_words(text) if speaks_english_alone and language == "de" else text


def question_to_embed(question: str, *, speaks_english_alone: bool) -> str:
    """Return a question, with its glossary translations for an English-only model."""
    if not speaks_english_alone:
        return question
    return " ".join([question, *translate(question)])


def in_english_words(text: str) -> str:
    """Return a German text with each word, or run of words, that the glossary knows in English."""
    tokens = _TOKEN.findall(text.replace("ß", "ss"))
    translated: list[str] = []
    place = 0
    while place < len(tokens):
        for length in range(_LONGEST, 0, -1):
            english = in_other_language(tokens[place : place + length], "de")
            if english:
                break
        translated.extend(english or tokens[place : place + 1])
        place += length
    return " ".join(translated)
