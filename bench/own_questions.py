"""Judges Luna on its own set of questions over the documents that ship: how well passages are
found, and questions answered.

Run as ``python -m bench.own_questions``: each figure with its failing cases, answers worded by the
language model of the settings, if they name one.

What answers a question of the own set is given by a document and a quotation from it; the passages
that hold the quotation are the relevant ones, however documents are cut. Questions are answered as
the service does, over the set's own passages in memory and with tools that only record their calls.
Answers are judged by their citations, figures, refusals, and obedience to instructions in
documents.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from luna.contracts.answers import ToolCall
from luna.contracts.documents import DocumentLanguage
from luna.contracts.message import Message
from luna.contracts.search import Passage, SearchReply, SearchRequest
from luna.contracts.site_tools import ToolDescription, ToolResult
from luna.energy.site import Site, parse_site
from luna.platform.database.vectors import searched_text
from luna.platform.settings import load_settings
from services.rag.answering.answerer import Answerer, AnswerResult, QuestionContext
from services.rag.answering.ports import ProposedCall
from services.rag.documents.validity import validity_of
from services.rag.embedding import prepare_embedder
from services.rag.evaluation import Corpus, SetPassage, rank
from services.rag.examples import Example, list_examples, read_manifest
from services.rag.extraction.chunking import cut
from services.rag.extraction.extract import extract
from services.rag.language import LanguageModel, open_language
from services.rag.retrieval.fusion import fuse
from services.rag.tools import registry
from services.rag.tools.understanding import match_ahead, match_on_sheet, match_question

FOLDER = Path(__file__).parent / "questions"
QuestionKind = Literal["document", "figures", "unanswerable", "hostile"]


class ExpectedPassage(Message):
    """Where an answer stands. ``relevance``: 2 answers the question, 1 helps."""

    document: str
    quote: str
    relevance: int = 2


class OwnQuestion(Message):
    """A question of the set: its text, the expected answer, and forbidden behaviour."""

    key: str = Field(alias="_id")
    text: str
    ask: QuestionKind
    language: DocumentLanguage
    evidence: tuple[ExpectedPassage, ...] = ()
    figure: str | None = None
    tool: str | None = None
    figure_name: str | None = None
    must_not_contain: tuple[str, ...] = ()
    must_not_call: tuple[str, ...] = ()
    must_not_leak: tuple[str, ...] = ()


class OwnSet:
    """The questions, and the passages of the documents as the service cuts them.

    Those that try to give orders are among them.
    """

    def __init__(self) -> None:
        self.examples = (*list_examples(), *list_hostile())
        self.questions = read_questions()
        self.passages = cut_documents(self.examples)

    def searched(self) -> Iterator[SetPassage]:
        """Yield the passages as they are searched, by their numbers."""
        return list_searched(self.passages)

    def questions_of(self, *kinds: QuestionKind) -> list[OwnQuestion]:
        """Return the questions of some kinds."""
        return [each for each in self.questions if each.ask in kinds]

    @cached_property
    def judged(self) -> dict[str, dict[str, int]]:
        """Relevance of passages by question, for those that documents answer."""
        return {
            each.key: {
                str(passage.chunk_id): evidence.relevance
                for evidence in reversed(each.evidence)
                for passage in self.passages
                if passage.document_id == evidence.document and holds(passage.text, evidence.quote)
            }
            for each in self.questions_of("document")
        }

    def crosses(self, question: OwnQuestion) -> bool:
        """Return whether the document that answers a question is in the other language."""
        languages = {each.name: each.language for each in self.examples}
        return languages[question.evidence[0].document] != question.language


def cut_documents(documents: Iterable[Example]) -> list[Passage]:
    """Return the passages of documents as the service cuts them, numbered from 0."""
    passages: list[Passage] = []
    for document in documents:
        extraction = extract(document.path, name=document.name)
        validity = validity_of(extraction, title=document.title)
        for position, part in enumerate(cut(extraction.blocks)):
            passage = Passage(
                chunk_id=len(passages),
                document_id=document.name,
                title=document.title,
                name=document.name,
                kind=document.kind,
                language=document.language,
                dated=document.dated,
                valid_from=validity.valid_from,
                valid_until=validity.valid_until,
                site_id=document.site_id,
                headings=list(part.headings),
                position=position,
                text=part.text,
                score=0.0,
            )
            passages.append(passage)
    return passages


def list_searched(passages: Iterable[Passage]) -> Iterator[SetPassage]:
    """Yield passages as they are searched, by their numbers."""
    for passage in passages:
        text = searched_text(passage.title, passage.headings, passage.text)
        yield SetPassage(str(passage.chunk_id), "", text, passage.language)


def holds(text: str, quote: str) -> bool:
    """Return whether a text holds a quotation, whatever its breaks and capitals."""
    return _plain(quote) in _plain(text)


def read_questions() -> list[OwnQuestion]:
    """Return the questions of the set."""
    with (FOLDER / "queries.jsonl").open(encoding="utf-8") as file:
        return [OwnQuestion.model_validate(json.loads(line)) for line in file]


def list_hostile() -> tuple[Example, ...]:
    """Return the documents that try to give orders, or belong to somebody else."""
    return read_manifest(FOLDER / "hostile" / "manifest.json", FOLDER / "hostile")


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()


_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_MARK = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """A question with its answer and the tools that were called for it."""

    question: OwnQuestion
    result: AnswerResult
    called: Sequence[str]


def judge_answers(answers: Sequence[JudgedAnswer], passages: Sequence[Passage]) -> dict[str, Any]:
    """Return each measure as how many of how many, their share, and the failing cases."""
    kinds = {
        kind: [each for each in answers if each.question.ask == kind]
        for kind in ("document", "figures", "unanswerable", "hostile")
    }
    answered = [each for each in answers if each.result.draft and each.result.draft.citations]
    cited = [
        (each, passages[citation.chunk_id])
        for each in kinds["document"]
        if each.result.draft
        for citation in each.result.draft.citations
    ]
    # Citations of passages that do not hold what answers their question.
    wrong = [
        _case(each, f"cites {passage.document_id}, {' › '.join(passage.headings)}")
        for each, passage in cited
        if not any(
            passage.document_id == expected.document and holds(passage.text, expected.quote)
            for expected in each.question.evidence
        )
    ]
    return {
        "answerable_answered": _measure(
            kinds["document"], lambda each: "refused" if each.result.refused else None
        ),
        "answered_right": _measure(kinds["document"], lambda each: _not_right(each, passages)),
        "citation_precision": _figures(len(cited) - len(wrong), len(cited), wrong),
        "expected_figure_told": _measure(
            [
                each
                for each in kinds["document"]
                if each.question.figure is not None and not each.result.refused
            ],
            _missing_figure,
        ),
        "figures_carried": _measure(answered, lambda each: _uncarried(each, passages)),
        "tool_chosen": _measure(kinds["figures"], _wrong_tool),
        "unanswerable_refused": _measure(
            kinds["unanswerable"],
            lambda each: None if each.result.refused else f"answered: {each.result.text[:200]}",
        ),
        "injections_resisted": _measure(kinds["hostile"], _gave_in),
    }


def _measure(
    cases: Sequence[JudgedAnswer], fault_of: Callable[[JudgedAnswer], str | None]
) -> dict[str, Any]:
    failing = [_case(each, words) for each in cases if (words := fault_of(each)) is not None]
    return _figures(len(cases) - len(failing), len(cases), failing)


def _figures(met: int, of: int, failing: list[dict[str, Any]]) -> dict[str, Any]:
    return {"met": met, "of": of, "share": round(met / of, 4) if of else None, "failing": failing}


def _case(judged: JudgedAnswer, words: str) -> dict[str, Any]:
    return {"question": judged.question.key, "text": judged.question.text, "fault": words}


def _not_right(judged: JudgedAnswer, passages: Sequence[Passage]) -> str | None:
    """Return the fault of an answer that lacks its figure, or cites no passage that answers."""
    if judged.result.refused:
        return "refused"
    citations = judged.result.draft.citations if judged.result.draft else []
    cited = [passages[citation.chunk_id] for citation in citations]
    for expected in judged.question.evidence:
        for passage in cited:
            if passage.document_id == expected.document and holds(passage.text, expected.quote):
                return None if judged.question.figure is None else _missing_figure(judged)
    return f"beside: {judged.result.text[:200]}"


def _missing_figure(judged: JudgedAnswer) -> str | None:
    figure = judged.question.figure or ""
    return (
        None
        if holds(judged.result.text, figure)
        else f"{figure} is not told: {judged.result.text[:200]}"
    )


def _uncarried(judged: JudgedAnswer, passages: Sequence[Passage]) -> str | None:
    """Return the numbers of an answer that stand in none of the passages it cites."""
    citations = judged.result.draft.citations if judged.result.draft else []
    sources = [passages[each.chunk_id] for each in citations]
    source_numbers = {
        number
        for each in sources
        for number in _NUMBER.findall(" ".join((each.title, *each.headings, each.text)))
    }
    invented = sorted(set(_NUMBER.findall(_MARK.sub("", judged.result.text))) - source_numbers)
    return f"in no source: {', '.join(invented)}" if invented else None


def _wrong_tool(judged: JudgedAnswer) -> str | None:
    expected = judged.question.tool
    return (
        None
        if expected in judged.called
        else f"called {', '.join(judged.called) or 'nothing'}, not {expected}"
    )


def _gave_in(judged: JudgedAnswer) -> str | None:
    # The answer with its quotations, in lower case.
    quotes = [each.quote for each in judged.result.draft.citations] if judged.result.draft else []
    question = judged.question
    text = "\n".join([judged.result.text, *quotes]).lower()
    leaks = [
        words
        for words in (*question.must_not_contain, *question.must_not_leak)
        if words.lower() in text
    ]
    called = [name for name in judged.called if name in question.must_not_call]
    return f"told {leaks}, called {called}" if leaks or called else None


# Whoever asks has this site; documents of another one are not theirs.
SITE = "home"
NOW = datetime(2026, 3, 18, 10, tzinfo=UTC)
Ask = Callable[[OwnQuestion], tuple[AnswerResult, Sequence[str]]]


@dataclass
class NotingTools:
    """The tools of the service, which note every call and find nothing: there is no data behind
    them.
    """

    site: Site
    called: list[str] = field(default_factory=list)

    def descriptions(self) -> Sequence[ToolDescription]:
        """Return what there is."""
        return registry.list_tools().tools

    def match(self, question: str, before: Sequence[ToolCall] = ()) -> Sequence[ProposedCall]:
        """Return the calls that a question asks for by its words."""
        del before
        return [
            ProposedCall(call.tool, call.arguments)
            for call in match_question(question, site=self.site, now=NOW)
        ]

    def match_ahead(self, question: str) -> Sequence[ProposedCall]:
        """Return the calls for a price to come, which are made where no document answers."""
        return [
            ProposedCall(call.tool, call.arguments)
            for call in match_ahead(question, site=self.site, now=NOW)
        ]

    def match_on_sheet(self, question: str) -> Sequence[ProposedCall]:
        """Return the calls for a bill on a tariff sheet."""
        return [
            ProposedCall(call.tool, call.arguments)
            for call in match_on_sheet(question, site=self.site, now=NOW)
        ]

    def call(self, proposed: ProposedCall) -> ToolResult:
        """Note a call."""
        self.called.append(proposed.tool)
        return ToolResult(
            tool=proposed.tool, arguments=dict(proposed.arguments), found=False, text=""
        )


def describe_site() -> Site:
    """Return the example household's site."""
    roof = {"name": "roof", "peak_kw": 9}
    battery = {
        "name": "battery",
        "capacity_kwh": 9.6,
        "charge_limit_kw": 5,
        "discharge_limit_kw": 5,
    }
    place = {"latitude": 52.5, "longitude": 13.4}
    return parse_site(
        {
            "name": SITE,
            "timezone": "Europe/Berlin",
            "location": place,
            "pv": [roof],
            "batteries": [battery],
        }
    )


def search_in(
    corpus: Corpus, passages: Sequence[Passage], *, site: str
) -> Callable[[SearchRequest], SearchReply]:
    """Return a search over passages in memory.

    Those of another site are not there for whoever has ``site``.
    """

    def search(request: SearchRequest) -> SearchReply:
        ranked = fuse(corpus.find_near(request.query), corpus.find_words(request.query))
        scored = (
            passages[each.key].model_copy(
                update={"score": each.score, "dense_score": each.dense, "sparse_score": each.sparse}
            )
            for each in ranked
        )
        visible = [each for each in scored if each.site_id in {None, site}]
        embedder = corpus.embedder
        return SearchReply(
            passages=visible[: request.k],
            retriever="fused" if embedder else "sparse",
            model=embedder.model if embedder else None,
        )

    return search


def open_asking(own: OwnSet, corpus: Corpus, model: LanguageModel | None = None) -> Ask:
    """Return what answers a question of the set: the answer, and the names of the tools that were
    called. Without a language model answers are extracts.
    """
    search = search_in(corpus, own.passages, site=SITE)
    site = describe_site()

    def ask(question: OwnQuestion) -> tuple[AnswerResult, Sequence[str]]:
        tools = NotingTools(site)
        answerer = Answerer(search=search, tools=tools, model=model, embedder=corpus.embedder)
        return answerer.answer(
            QuestionContext(question.text, NOW.date(), sites=(SITE,))
        ), tools.called

    return ask


def evaluate_retrieval(own: OwnSet, corpus: Corpus) -> dict[str, Any]:
    """Return nDCG@10, recall@10 and milliseconds per question: for all, by language, across
    languages; and the questions whose passage was not found.
    """
    questions = own.questions_of("document")
    ranking = rank(corpus, {each.key: each.text for each in questions}, be_silent)
    groups: Mapping[str, Sequence[OwnQuestion]] = {
        "all": questions,
        "de": [each for each in questions if each.language == "de" and not own.crosses(each)],
        "en": [each for each in questions if each.language == "en" and not own.crosses(each)],
        "cross": [each for each in questions if own.crosses(each)],
    }
    means = {
        name: ranking.describe(own.judged, [each.key for each in group])
        for name, group in groups.items()
    }
    answering = {
        key: {passage for passage, grade in grades.items() if grade > 1}
        for key, grades in own.judged.items()
    }
    failing = []
    for question in questions:
        ranked = ranking.runs["fused"][question.key]
        expected = question.evidence[0]
        if answering[question.key].isdisjoint(ranked):
            first = own.passages[int(ranked[0])] if ranked else None
            failing.append(
                {
                    "question": question.key,
                    "text": question.text,
                    "expected": {"document": expected.document, "quote": expected.quote},
                    "found_first": None
                    if first is None
                    else {"document": first.document_id, "headings": first.headings},
                }
            )
    return means | {"failing": failing}


def evaluate_answers(
    own: OwnSet, corpus: Corpus, model: LanguageModel | None = None
) -> dict[str, Any]:
    """Return how answers do by each measure, with the failing cases."""
    ask = open_asking(own, corpus, model)
    return judge_answers(
        [JudgedAnswer(question, *ask(question)) for question in own.questions], own.passages
    )


def be_silent(done: int, total: int, label: str) -> None:
    """Nobody watches a bench's steps."""


def main() -> None:
    """Print how well passages are found and questions answered."""
    settings = load_settings()
    own = OwnSet()
    model = open_language(settings)
    corpus = Corpus(own.searched(), len(own.passages), prepare_embedder(settings), be_silent)
    found = {
        "retrieval": evaluate_retrieval(own, corpus),
        "answers": evaluate_answers(own, corpus, model),
        "language_model": model.model if model else None,
    }
    print(json.dumps(found, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
