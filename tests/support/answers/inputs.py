"""Passages, tools and language models as answers are made from, small and in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from luna.contracts.answers import AnswerSentence, ToolCall
from luna.contracts.search import Passage, SearchReply, SearchRequest
from luna.contracts.site_tools import Figure, ToolDescription, ToolResult
from luna.energy.errors import InvalidInputError, UnavailableError
from services.rag.answering.ports import ProposedCall, Stage
from services.rag.language import ChatMessage, Generation

TODAY = date(2026, 5, 21)


def passage(
    number: int,
    text: str,
    *,
    title: str = "Document",
    site: str | None = None,
    holds: tuple[date | None, date | None] = (None, None),
) -> Passage:
    """Return a passage of a document of its own."""
    parts = {
        "document_id": f"d{number}",
        "title": title,
        "name": f"{number}.md",
        "kind": "other",
        "site_id": site,
        "page": number,
    }
    parts |= {"valid_from": holds[0], "valid_until": holds[1]}
    return Passage(chunk_id=number, position=0, text=text, score=1 / number, **parts)


@dataclass
class Library:
    """Returns its passages to whoever has their sites, in their order."""

    passages: Sequence[Passage]
    asked: list[SearchRequest] = field(default_factory=list)

    def __call__(self, request: SearchRequest) -> SearchReply:
        self.asked.append(request)
        seen = [
            each
            for each in self.passages
            if request.sites is None or each.site_id is None or each.site_id in request.sites
        ]
        return SearchReply(passages=seen[: request.k], retriever="sparse", model=None)


@dataclass
class Meter:
    """The tools of a site: one, which tells what was consumed."""

    calls: list[ProposedCall] = field(default_factory=list)

    def descriptions(self) -> Sequence[ToolDescription]:
        return [
            ToolDescription(
                name="consumption", description="What was consumed.", arguments={"type": "object"}
            )
        ]

    def match(self, question: str, before: Sequence[ToolCall] = ()) -> Sequence[ProposedCall]:
        words = question.lower()
        return (
            [ProposedCall("consumption", {"first_day": "2026-05-20"})]
            if "gestern verbraucht" in words
            else []
        )

    def match_ahead(self, question: str) -> Sequence[ProposedCall]:
        return []

    def match_on_sheet(self, question: str) -> Sequence[ProposedCall]:
        return []

    def call(self, proposed: ProposedCall) -> ToolResult:
        if proposed.tool != "consumption":
            raise InvalidInputError("no such tool", field="tool", value=proposed.tool)
        self.calls.append(proposed)
        figure = Figure(name="load_kwh", value=9.5, unit="kwh", text="9,5 kWh")
        return ToolResult(
            tool="consumption",
            arguments=dict(proposed.arguments),
            found=True,
            text="Am 20. Mai wurden 9,5 kWh verbraucht.",
            figures=[figure],
        )


@dataclass
class Speaker:
    """A language model that says what it is given, word by word; None: it is away."""

    says: Callable[[Sequence[ChatMessage]], str | None]
    model: str = "speaker"
    heard: list[Sequence[ChatMessage]] = field(default_factory=list)

    def generate(
        self,
        messages: Sequence[ChatMessage],
        *,
        on_text: Callable[[str], None],
        gave_up: Callable[[], bool],
    ) -> Generation:
        self.heard.append(messages)
        text = self.says(messages)
        if text is None:
            raise UnavailableError("away")
        for start in range(0, len(text), 5):
            on_text(text[start : start + 5])
        return Generation(text, 0.1, 10, 5)


@dataclass
class Ear:
    """Hears everything."""

    stages: list[Stage] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    sentences: list[AnswerSentence] = field(default_factory=list)

    def stage(self, stage: Stage) -> None:
        self.stages.append(stage)

    def token(self, text: str) -> None:
        self.words.append(text)

    def sentence(self, sentence: AnswerSentence) -> None:
        self.sentences.append(sentence)

    def gave_up(self) -> bool:
        return False
