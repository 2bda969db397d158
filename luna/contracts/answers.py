"""Questions and answers with sources."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luna.contracts.documents import SiteName
from luna.contracts.message import Instant, Message, Request
from luna.contracts.plan import Language
from luna.contracts.search import Passage, SearchFilter
from luna.contracts.site_tools import Chart, Figure, ToolSource

AnswerId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]
Feedback = Literal["helpful", "unhelpful"]


class Citation(Message):
    """What a sentence rests on: a passage, by its number in the text."""

    number: Annotated[int, Field(ge=1, description="as [1] in the text")]
    chunk_id: int
    document_id: str
    title: str
    page: int | None = None
    headings: list[str] = []
    quote: Annotated[str, Field(description="the words of the passage that carry the sentence")]


class AnswerSentence(Message):
    """One sentence of an answer and what carries it: citations, or the tool calls whose figures it tells."""

    text: str
    citations: list[int] = []
    tool_calls: Annotated[list[int], Field(description="positions in tool_calls, from 0")] = []
    support: Annotated[float, Field(ge=0, le=1, description="how well its sources carry it")]


class ToolCall(Message):
    """A tool that was called for an answer, with what it found."""

    tool: str
    arguments: dict[str, Any]
    found: bool
    text: str
    figures: list[Figure] = []
    chart: Chart | None = None
    sources: list[ToolSource] = []


class RecommendedDocument(Message):
    """A document worth reading on what was asked."""

    document_id: str
    title: str
    kind: str


class Answer(Message):
    """An answer. Where ``refused``, ``answer`` says honestly that the documents do not hold it, and ``nearest`` shows what comes closest."""

    answer_id: str
    conversation_id: str
    question: str
    understood_as: Annotated[str | None, Field(description="the question by itself, where it goes on from one before; null: as asked")] = None
    language: Language
    answer: str
    refused: bool
    sentences: list[AnswerSentence] = []
    citations: list[Citation] = []
    tool_calls: list[ToolCall] = []
    nearest: Annotated[list[Passage], Field(description="only where refused: the nearest passages")] = []
    recommended: list[RecommendedDocument] = []
    model: Annotated[str | None, Field(description="language model; null: none, worded by templates and extracts")] = None
    prompt_version: str
    notes: Annotated[list[str], Field(description="codes: language_model_away, tool_failed, answered_from_templates, …")] = []
    answered_at: Instant
    latency_seconds: float


class Question(Message):
    """What is asked. With ``conversation_id`` it goes on from what was asked before."""

    question: Annotated[str, Field(min_length=1, max_length=2000)]
    language: Annotated[Language | None, Field(description="usual: the question's")] = None
    site_id: Annotated[SiteName | None, Field(description="whose prices, plans and forecasts are meant; usual: the asker's only one")] = None
    conversation_id: AnswerId | None = None
    filter: SearchFilter = SearchFilter()
    model: Annotated[bool, Field(description="false: no language model words the answer")] = True


class AskRequest(Request, Question):
    """Answer a question from documents and the site's data, with sources, or say that they do not hold it."""

    task: ClassVar[str] = "rag.questions.answer"
    reply: ClassVar[type[Message]] = Answer

    asked_by: Annotated[str, Field(max_length=64)] = "local"
    sites: Annotated[tuple[str, ...] | None, Field(description="the asker's; null: all")] = None
    stream: Annotated[AnswerId | None, Field(description="names where pieces of the answer are published while it is made; null: nobody listens")] = None


class StoredAnswer(Message):
    """An answer with everything it was made from, for the audit."""

    answer: Answer
    asked_by: str
    site_id: str | None = None
    prompt: Annotated[str | None, Field(description="as the language model was given it; null: none was asked")] = None
    chunk_ids: list[int] = []
    first_token_seconds: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    feedback: Feedback | None = None
    feedback_note: str | None = None


class AnswerList(Message):
    """Answers, the latest first."""

    answers: list[StoredAnswer]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = None


class Conversation(Message):
    """What one person asked one thing after the other, the first question first."""

    conversation_id: str
    site_id: str | None = None
    begun_at: Instant
    answers: list[Answer]


class FeedbackNote(Message):
    """Whether an answer helped, and why, in the reader's words."""

    feedback: Feedback
    note: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None
