"""Whether passages hold the answer to a question: below these bounds it is "not in the documents"."""

from dataclasses import dataclass

from luna.contracts.plan import Language
from services.rag.answering.evidence import Evidence, Source
from services.rag.answering.facts import facts_of, numbers_of
from services.rag.answering.matching import wanted_words

# Share of the question's words that one passage (with its title and headings) has. Found on the questions of tests/unit/rag/questions.py, half of which the
# documents do not answer: those they do reach 0.6 and more by words alone, those they do not at most 0.5.
LEAST_SHARE = 0.6
# Where the embedding model finds the passage near as well, fewer words do: a question in the other language shares few.
LEAST_SHARE_NEAR = 0.34


@dataclass(frozen=True, slots=True)
class DenseBounds:
    """Cosines of question and passage of one embedding model: ``near`` helps where words agree, ``sure`` is enough by itself."""

    near: float
    sure: float


# Each model has a scale of its own; one that is not named is asked for the order of passages alone.
DENSE_BOUNDS = {
    "all-minilm-l6-v2": DenseBounds(near=0.45, sure=0.72),
    "nomic-embed-text": DenseBounds(near=0.66, sure=0.82),
    "bge-m3": DenseBounds(near=0.55, sure=0.72),
}


@dataclass(frozen=True, slots=True)
class Answerability:
    """How far the passages hold an answer: the numbers of those that do, the best first."""

    answered_by: tuple[int, ...]
    share: float
    dense: float | None

    @property
    def answered(self) -> bool:
        """Whether any does."""
        return bool(self.answered_by)


def judge_answerability(question: str, evidence: Evidence, *, language: Language, model: str | None) -> Answerability:
    """Return which passages hold the answer to a question.

    Args:
        model: of the passages' cosines; None: there is none.
    """
    own = wanted_words(question)
    bounds = DENSE_BOUNDS.get((model or "").rpartition("/")[2].partition(":")[0].lower())
    named = facts_of(question, proper_names=language == "en")
    shares = [own.share_in(source.terms) for source in evidence.sources]
    held = [
        number
        for number, (source, share) in enumerate(zip(evidence.sources, shares, strict=True), start=1)
        if source.sentences and _names_all(named.names, question, source) and _holds(share, source.passage.dense_score, bounds)
    ]
    dense = [source.passage.dense_score for source in evidence.sources if source.passage.dense_score is not None]
    return Answerability(tuple(held), max(shares, default=0.0), max(dense, default=None))


def _holds(share: float, cosine: float | None, bounds: DenseBounds | None) -> bool:
    if bounds is None or cosine is None:
        return share >= LEAST_SHARE
    return cosine >= bounds.sure or (share >= LEAST_SHARE and cosine >= bounds.near / 2) or (share >= LEAST_SHARE_NEAR and cosine >= bounds.near)


def _names_all(names: frozenset[str], question: str, source: Source) -> bool:
    """Return whether what a question names, models, years, figures, stands in a passage: an answer about another one is none."""
    known = numbers_of(f"{source.passage.title} {' '.join(source.passage.headings)} {source.text}")
    dated = {float(source.passage.dated.year)} if source.passage.dated else set()
    numbers = all(any(readings & other for other in known) or bool(readings & dated) for readings in numbers_of(question))
    return numbers and all(name in source.lower for name in names)
