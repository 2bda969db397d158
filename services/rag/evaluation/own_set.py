"""Luna's own set: questions over the documents that ship, and what a good answer to each is.

What answers a question is given by a document and a quotation from it; the passages that hold the quotation are the relevant ones, however documents are cut.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field

from luna.contracts.documents import DocumentLanguage
from luna.contracts.message import Message
from luna.contracts.search import Passage
from luna.energy.errors import LunaError, MachineError
from luna.platform.database.vectors import searched_text
from services.rag.documents.validity import validity_of
from services.rag.evaluation.beir import SetPassage
from services.rag.evaluation.ranking import Progress
from services.rag.examples import Example, list_examples, read_manifest
from services.rag.extraction.chunking import cut
from services.rag.extraction.extract import extract

FOLDER = Path(__file__).parent / "sets" / "luna"
Ask = Literal["document", "figures", "unanswerable", "hostile"]


class ExpectedPassage(Message):
    """Where an answer stands. ``relevance``: 2 answers the question, 1 helps."""

    document: str
    quote: str
    relevance: int = 2


class OwnQuestion(Message):
    """A question of the set: its text, the expected answer, and forbidden behaviour."""

    key: str = Field(alias="_id")
    text: str
    ask: Ask
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

    Args:
        hostile: whether the documents that try to give orders are among them.
        progress: hears how many documents are read.
    """

    def __init__(self, *, hostile: bool, progress: Progress) -> None:
        self.examples = (*list_examples(), *(list_hostile() if hostile else ()))
        self.questions = read_questions()
        self.passages: list[Passage] = []
        for count, example in enumerate(self.examples, start=1):
            self.passages.extend(_cut(example, first=len(self.passages)))
            progress(count, len(self.examples), "documents")

    def searched(self) -> Iterator[SetPassage]:
        """Yield the passages as they are searched, by their numbers."""
        for each in self.passages:
            yield SetPassage(str(each.chunk_id), "", searched_text(each.title, each.headings, each.text), each.language)

    def questions_of(self, *kinds: Ask) -> list[OwnQuestion]:
        """Return the questions of some kinds."""
        return [each for each in self.questions if each.ask in kinds]

    @cached_property
    def judged(self) -> dict[str, dict[str, int]]:
        """Relevance of passages by question, for those that documents answer."""
        return {each.key: self._judge(each) for each in self.questions_of("document")}

    def crosses(self, question: OwnQuestion) -> bool:
        """Return whether the document that answers a question is in the other language."""
        languages = {each.name: each.language for each in self.examples}
        return languages[question.evidence[0].document] != question.language

    def _judge(self, question: OwnQuestion) -> dict[str, int]:
        return {
            str(passage.chunk_id): evidence.relevance
            for evidence in reversed(question.evidence)
            for passage in self.passages
            if passage.document_id == evidence.document and holds(passage.text, evidence.quote)
        }


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


def _cut(example: Example, *, first: int) -> Sequence[Passage]:
    try:
        extraction = extract(example.path, name=example.name)
    except LunaError as error:
        raise MachineError("a document that ships with Luna cannot be read", field=str(example.path), remedy=f"Install Luna anew. {error}") from error
    validity = validity_of(extraction, title=example.title)
    return [
        Passage(
            chunk_id=first + position,
            document_id=example.name,
            title=example.title,
            name=example.name,
            kind=example.kind,
            language=example.language,
            dated=example.dated,
            valid_from=validity.valid_from,
            valid_until=validity.valid_until,
            site_id=example.site_id,
            headings=list(part.headings),
            position=position,
            text=part.text,
            score=0.0,
        )
        for position, part in enumerate(cut(extraction.blocks))
    ]


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()
