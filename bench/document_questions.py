"""Counts right and wrong answers to questions on an owner's documents, by language.

Run as ``python -m bench.document_questions [--list SET]``; ``--list`` also prints the answers of a
set that are not right. The questions of ``fresh`` and ``second`` were written before what answers
them; since then thresholds were chosen so that they lose nothing by them. The reader was tuned on
``training`` and ``paraphrased``; the latter says everything in other words than its documents.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from bench.own_questions import (
    NOW,
    SITE,
    NotingTools,
    be_silent,
    cut_documents,
    describe_site,
    holds,
    list_searched,
    search_in,
)
from luna.contracts.message import Message
from luna.contracts.search import Passage
from luna.platform.settings import load_settings
from luna.words import Language
from services.rag.answering.answerer import Answerer, AnswerResult, QuestionContext
from services.rag.embedding import Embedder, prepare_embedder
from services.rag.evaluation import Corpus
from services.rag.examples import Example
from services.rag.extraction.extract import extract

FOLDER = Path(__file__).parent / "document_questions"
SETS = ("second", "fresh", "training")
TUNED_ON = ("paraphrased",)
Verdict = Literal["right", "beside", "refused", "false"]


class BenchQuestion(Message):
    """A question with phrases of right and of wrong answers.

    Attributes:
        passage: words of the passage that answers; None: the documents hold no answer.
    """

    text: str
    language: Language
    expected: tuple[str, ...] = ()
    passage: str | None = None
    wrong: tuple[str, ...] = ()


class JudgedQuestion(Message):
    """A question with its answer's text and verdict."""

    question: BenchQuestion
    text: str
    verdict: Verdict


def measure(embedder: Embedder | None = None) -> dict[str, Any]:
    """Return the verdicts by set, with words alone and with an embedding model."""
    figures = {}
    for name in SETS:
        by_retrieval = {"words": count_verdicts(judge_set(name, None))}
        if embedder is not None:
            by_retrieval["vectors"] = count_verdicts(judge_set(name, embedder))
        figures[name] = by_retrieval
    return figures


def judge_set(name: str, embedder: Embedder | None) -> list[JudgedQuestion]:
    """Return the questions of a set with their judged answers."""
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    documents = [_read_document(name, row) for row in content["documents"]]
    questions = [BenchQuestion.model_validate(row) for row in content["questions"]]
    passages = cut_documents(documents)
    corpus = Corpus(list_searched(passages), len(passages), embedder, be_silent)
    search = search_in(corpus, passages, site=SITE)
    judged = []
    for question in questions:
        tools = NotingTools(describe_site())
        answerer = Answerer(search=search, tools=tools, embedder=embedder)
        context = QuestionContext(question.text, NOW.date(), question.language, sites=(SITE,))
        result = answerer.answer(context)
        verdict = judge_answer(question, result, passages)
        judged.append(JudgedQuestion(question=question, text=result.text, verdict=verdict))
    return judged


def _read_document(name: str, row: dict[str, Any]) -> Example:
    path = FOLDER / name / row["name"]
    language = extract(path, name=row["name"]).language
    return Example(path, row["name"], row["title"], row["kind"], language)


def judge_answer(
    question: BenchQuestion, result: AnswerResult, passages: Sequence[Passage]
) -> Verdict:
    """Return whether an answer is right, beside the point, refused or false."""
    if result.refused:
        return "refused"
    citations = result.draft.citations if result.draft else []
    cited = [passages[citation.chunk_id].text for citation in citations]
    is_expected = any(holds(result.text, phrase) for phrase in question.expected)
    is_cited = question.passage is not None and any(holds(text, question.passage) for text in cited)
    if is_expected and is_cited:
        return "right"
    is_wrong = any(holds(result.text, phrase) for phrase in question.wrong)
    return "false" if is_wrong and not is_expected else "beside"


def count_verdicts(judged: Sequence[JudgedQuestion]) -> dict[str, Any]:
    """Return the verdicts of answerable and unanswerable questions, and right ones by language."""
    answerable = [one for one in judged if one.question.passage is not None]
    unanswerable = [one for one in judged if one.question.passage is None]
    languages = Counter(one.question.language for one in answerable)
    right = Counter(one.question.language for one in answerable if one.verdict == "right")
    return {
        "answerable": dict(Counter(one.verdict for one in answerable)),
        "unanswerable": dict(Counter(one.verdict for one in unanswerable)),
        "right_by_language": {
            language: f"{right[language]} of {count}" for language, count in languages.items()
        },
    }


def main() -> None:
    """Print the figures, and with ``--list`` the answers of a set that are not right."""
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument(
        "--list", choices=(*SETS, *TUNED_ON), help="print a set's answers that are not right"
    )
    name = parser.parse_args().list
    if name is not None:
        for judged in judge_set(name, None):
            is_met = judged.verdict == ("right" if judged.question.passage else "refused")
            if not is_met:
                print(f"{judged.verdict}: {judged.question.text} -> {judged.text}")
    print(json.dumps(measure(prepare_embedder(load_settings())), indent=2))


if __name__ == "__main__":
    main()
