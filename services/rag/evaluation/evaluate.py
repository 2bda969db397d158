"""Evaluates Luna on its own set."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.rag.embedding import Embedder
from services.rag.evaluation.asking import open_asking
from services.rag.evaluation.judging import JudgedAnswer, judge_answers
from services.rag.evaluation.own_set import OwnQuestion, OwnSet
from services.rag.evaluation.ranking import Corpus, Progress, Ranking, rank
from services.rag.language import LanguageModel


def evaluate_own(embedder: Embedder | None, *, model: LanguageModel | None = None, progress: Progress) -> dict[str, Any]:
    """Return how well passages are found and questions answered.

    Answers are asked for with the hostile documents among the others. Without a language model they are extracts.

    Raises:
        UnavailableError: the embedding model is away.
    """
    own = OwnSet(hostile=True, progress=progress)
    corpus = Corpus(own.searched(), len(own.passages), embedder, progress)
    retrieval = evaluate_retrieval(own, corpus, progress=progress)
    return {"retrieval": retrieval, "answers": evaluate_answers(own, corpus, model, progress=progress), "language_model": model.model if model else None}


def evaluate_retrieval(own: OwnSet, corpus: Corpus, *, progress: Progress) -> dict[str, Any]:
    """Return nDCG@10, recall@10 and milliseconds per question: for all, by language, across languages; and the questions whose passage was not found."""
    questions = own.questions_of("document")
    ranking = rank(corpus, {each.key: each.text for each in questions}, progress)
    groups: Mapping[str, Sequence[OwnQuestion]] = {
        "all": questions,
        "de": [each for each in questions if each.language == "de" and not own.crosses(each)],
        "en": [each for each in questions if each.language == "en" and not own.crosses(each)],
        "cross": [each for each in questions if own.crosses(each)],
    }
    means = {name: ranking.describe(own.judged, [each.key for each in group]) for name, group in groups.items()}
    return means | {"failing": [_miss(own, ranking, each) for each in questions if _is_missed(own, ranking, each)]}


def evaluate_answers(own: OwnSet, corpus: Corpus, model: LanguageModel | None, *, progress: Progress) -> dict[str, Any]:
    """Return how answers do by each measure, with the failing cases."""
    ask = open_asking(corpus, own.passages, embedder=corpus.embedder, model=model)
    judged: list[JudgedAnswer] = []
    for question in own.questions:
        judged.append(JudgedAnswer(question, *ask(question)))
        progress(len(judged), len(own.questions), "answers")
    return judge_answers(judged, own.passages)


def _is_missed(own: OwnSet, ranking: Ranking, question: OwnQuestion) -> bool:
    return not set(ranking.runs["fused"][question.key]) & {key for key, grade in own.judged[question.key].items() if grade > 1}


def _miss(own: OwnSet, ranking: Ranking, question: OwnQuestion) -> dict[str, Any]:
    expected, ranked = question.evidence[0], ranking.runs["fused"][question.key]
    first = own.passages[int(ranked[0])] if ranked else None
    return {
        "question": question.key,
        "text": question.text,
        "expected": {"document": expected.document, "quote": expected.quote},
        "found_first": None if first is None else {"document": first.document_id, "headings": first.headings},
    }
