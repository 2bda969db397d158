"""How easily the words of pages and messages read, by language.

``python -m bench.readability [--list] [TOPIC …]`` prints figures; ``--list`` also prints the long
sentences and those with internal words.

Only whole sentences count: labels of a few words would flatter the mean.

Sources:
    Flesch (1948), A new readability yardstick, for English; Amstad (1978), Wie verständlich sind
    unsere Zeitungen?, for German; Douma (1960), De leesbaarheid van landbouwbladen, for Dutch.
"""

import argparse
import re
from collections.abc import Collection, Iterator
from statistics import fmean
from typing import Any, NamedTuple

from luna.words.catalogue import CATALOGUE, CatalogueMessage

# The longest sentence on any page, in words.
LONGEST = 25
# Sentences of this length are listed for whoever edits.
LONG = 17
# Topics that reach a phone or an e-mail.
MESSAGES = frozenset({"messages", "recommendations"})
# Pages for experts, and the language's own forms: internal words are allowed.
EXPERT = frozenset(
    {"admin", "agent", "agent_status", "camera_lab", "edge", "language", "report", "settings"}
)
# Words of the code, and turns of speech that a neighbour would not use.
INTERNAL = {
    "en": (
        r"slots?|polic(?:y|ies)|told|judged?|gatekeeper|verdicts?|set-?points?|challengers?"
        r"|planner|quarantined?|armed|disarmed|of late|lived through|spared|deeds?|horizon"
    ),
    "de": (
        r"Slots?|Torwächters?|urteilt|Urteil|Sollwerte?|Herausforderer|Planers?|Quarantäne"
        r"|scharf ?geschaltet|durchlebt|durchleben|gesagt wurde|Verfahrensweise|Horizont"
    ),
    "nl": (
        r"poortwachter|oordeelt|oordeel|uitdager|planner|quarantaine|scherpgesteld|scherp gesteld"
        r"|doorleefd|verteld|instelpunt|horizon"
    ),
}

_SENTENCE = re.compile(r"[^.!?…]+(?:[.!?…](?!\s|$)[^.!?…]*)*[.!?…](?=\s|$)")
_FIGURE = re.compile(r"\{\w*\}")
_TAG = re.compile(r"<[^<>]*>|&\w+;")
_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W_]+(?:['’-][^\W_]+)*")
_VOWELS = re.compile(r"[aeiouyäöüáéíóúàèâêîôûëï]+", re.IGNORECASE)
_SILENT_E = re.compile(r"[^aeiouyl]e$", re.IGNORECASE)


class Sentence(NamedTuple):
    """One sentence of a catalogue, with a figure as one word."""

    topic: str
    message: str
    text: str

    @property
    def words(self) -> list[str]:
        """The words of the sentence."""
        return _WORD.findall(self.text)


def measure() -> dict[str, Any]:
    """Return sentence lengths and Flesch's index of pages and messages, by language."""
    figures: dict[str, Any] = {}
    for language in CATALOGUE.languages:
        sentences = list(list_sentences(language))
        messages = [sentence for sentence in sentences if sentence.topic in MESSAGES]
        pages = [sentence for sentence in sentences if sentence.topic not in MESSAGES]
        figures[language] = {
            "pages": measure_sentences(pages, language),
            "messages": measure_sentences(messages, language),
        }
    return figures


def measure_sentences(sentences: Collection[Sentence], language: str) -> dict[str, Any]:
    """Return count, mean and longest length in words, and Flesch's index of sentences."""
    lengths = [len(sentence.words) for sentence in sentences]
    return {
        "sentences": len(lengths),
        "mean_words": round(fmean(lengths), 2),
        "longest_words": max(lengths),
        "flesch": round(compute_flesch(sentences, language), 1),
    }


def compute_flesch(sentences: Collection[Sentence], language: str) -> float:
    """Return Flesch's index in its form for the language: above 60 reads easily."""
    words = [word for sentence in sentences for word in sentence.words]
    words_per_sentence = len(words) / len(sentences)
    syllables_per_word = fmean(count_syllables(word, language) for word in words)
    match language:
        case "de":
            return 180 - words_per_sentence - 58.5 * syllables_per_word
        case "nl":
            return 206.84 - 0.93 * words_per_sentence - 77 * syllables_per_word
        case _:
            return 206.835 - 1.015 * words_per_sentence - 84.6 * syllables_per_word


def count_syllables(word: str, language: str) -> int:
    """Return the number of vowel groups, at least one; a silent e does not count in English."""
    count = len(_VOWELS.findall(word))
    if language == "en" and _SILENT_E.search(word):
        count -= 1
    return max(count, 1)


def list_sentences(language: str, topics: Collection[str] = ()) -> Iterator[Sentence]:
    """Yield the whole sentences of a language, of all topics by default."""
    for topic, message, text in list_texts(language, topics):
        for sentence in _SENTENCE.findall(text):
            yield Sentence(topic, message, sentence.strip())


def list_texts(language: str, topics: Collection[str] = ()) -> Iterator[tuple[str, str, str]]:
    """Yield topic, name and text of every message; a choice counts with its usual wording."""
    for topic in topics or CATALOGUE.topics(language):
        if topic != "language":
            for name, message in CATALOGUE.read(topic, language).items():
                yield topic, name, _TAG.sub(" ", _FIGURE.sub("7", _read_usual(message)))


def find_internal_words(language: str, topics: Collection[str] = ()) -> Iterator[Sentence]:
    """Yield the texts with an internal word, outside the pages for experts."""
    internal = re.compile(rf"\b(?:{INTERNAL[language]})\b", re.IGNORECASE)
    for topic, name, text in list_texts(language, topics):
        if topic not in EXPERT and internal.search(text):
            yield Sentence(topic, name, text)


def _read_usual(message: CatalogueMessage) -> str:
    text = ""
    for part in message.parts:
        if isinstance(part, str):
            text += part
        else:
            text += "".join(each for each in part.wordings[part.usual] if isinstance(each, str))
    return text


def main() -> None:
    """Print the figures, or the sentences to rewrite."""
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument("topics", nargs="*", help="files of the catalogue (default: all)")
    parser.add_argument("--list", action="store_true", help="print the sentences to rewrite")
    arguments = parser.parse_args()
    for language in CATALOGUE.languages:
        sentences = list(list_sentences(language, arguments.topics))
        if arguments.list:
            for sentence in sentences:
                count = len(sentence.words)
                if count >= LONG:
                    _print_text(language, sentence, f"{count} words")
            for found in find_internal_words(language, arguments.topics):
                _print_text(language, found, "internal word")
        if sentences:
            print(language, measure_sentences(sentences, language))


def _print_text(language: str, found: Sentence, why: str) -> None:
    print(f"{language} {found.topic} {found.message} ({why}): {found.text}")


if __name__ == "__main__":
    main()
