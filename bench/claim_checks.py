"""How well the check of an answer's sentences parts true ones from false ones, by language.

Run as ``python -m bench.claim_checks [--list]``; ``--list`` also prints the sentences that are
judged wrongly. The sentences of ``bench/claims`` were written before the check: 300 that it was
developed with (``main``) and 60 about other documents that were left aside (``second``).
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from luna.contracts.search import Passage
from services.rag.answering.evidence import gather_evidence

FOLDER = Path(__file__).parent / "claims"
SETS = ("main", "second")
LANGUAGES = ("de", "en", "nl")


@dataclass(frozen=True, slots=True)
class JudgedSentence:
    """A sentence with whether its passage says so, and whether the check lets it pass."""

    text: str
    is_true: bool
    passes: bool


def measure() -> dict[str, Any]:
    """Return by set how many false sentences pass and what share of the true ones does."""
    figures: dict[str, Any] = {}
    for name in SETS:
        by_language = {language: list(judge_set(name, language)) for language in LANGUAGES}
        everything = [judged for group in by_language.values() for judged in group]
        figures[name] = count_passing(everything)
        for language, group in by_language.items():
            figures[name][language] = count_passing(group)
    return figures


def judge_set(name: str, language: str) -> Iterator[JudgedSentence]:
    """Yield the sentences of a set in one language with their verdicts."""
    text = (FOLDER / f"{name}_{language}.yaml").read_text(encoding="utf-8")
    for number, document in enumerate(yaml.safe_load(text), start=1):
        evidence = gather_evidence([_make_passage(number, document)], None)
        for kind in ("correct", "wrong"):
            for sentence in document[kind]:
                passes = evidence.is_claimed(sentence, [1])
                yield JudgedSentence(sentence, kind == "correct", passes)


def count_passing(judged: list[JudgedSentence]) -> dict[str, Any]:
    """Return the number of sentences, of false ones that pass, and the share of true that do."""
    correct = [sentence for sentence in judged if sentence.is_true]
    wrong = [sentence for sentence in judged if not sentence.is_true]
    passing = sum(sentence.passes for sentence in correct)
    return {
        "true_sentences": len(correct),
        "false_sentences": len(wrong),
        "true_passing": passing,
        "true_share": round(passing / len(correct), 3),
        "false_passing": sum(sentence.passes for sentence in wrong),
    }


def _make_passage(number: int, document: dict[str, Any]) -> Passage:
    return Passage(
        chunk_id=number,
        document_id=f"document-{number}",
        title=document["title"],
        name=f"{number}.md",
        kind="other",
        headings=document.get("headings", []),
        position=0,
        text=document["text"],
        score=1.0,
    )


def main() -> None:
    """Print the figures, and with ``--list`` the sentences judged wrongly."""
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument("--list", choices=SETS, help="print a set's sentences judged wrongly")
    name = parser.parse_args().list
    if name is not None:
        for language in LANGUAGES:
            for judged in judge_set(name, language):
                if judged.passes != judged.is_true:
                    verdict = "dropped" if judged.is_true else "PASSES"
                    print(f"{language} {verdict}: {judged.text}")
    print(json.dumps(measure(), indent=2))


if __name__ == "__main__":
    main()
