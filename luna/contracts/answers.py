"""Questions and answers with sources."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luna.contracts.documents import SiteName
from luna.contracts.message import Message, Request
from luna.contracts.search import Passage, SearchFilter, format_place
from luna.contracts.site_tools import Chart, Figure, ToolSource
from luna.energy.timeline import Instant
from luna.words.language import Language

AnswerId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]
Feedback = Literal["helpful", "unhelpful"]


class Citation(Message):
    """A passage that a sentence rests on, by its number in the text."""

    number: Annotated[int, Field(ge=1, description="as [1] in the text")]
    chunk_id: Annotated[int, Field(description="of the passage")]
    document_id: Annotated[str, Field(description="of the document")]
    title: Annotated[str, Field(description="of the document")]
    page: Annotated[
        int | None,
        Field(description="on which the passage begins, from 1; null: the format has none"),
    ] = None
    headings: Annotated[list[str], Field(description="path of headings above it")] = []
    quote: Annotated[str, Field(description="the words of the passage that carry the sentence")]

    @property
    def place(self) -> str:
        """The place of the passage in its document."""
        return format_place(self.title, self.page, self.headings)


class AnswerSentence(Message):
    """One sentence of an answer and what carries it.

    That is citations, or the tool calls whose figures it tells.
    """

    text: Annotated[str, Field(description="plain text; [1] names a citation")]
    citations: Annotated[
        list[int], Field(description="numbers of the citations that carry it")
    ] = []
    tool_calls: Annotated[list[int], Field(description="positions in tool_calls, from 0")] = []
    support: Annotated[float, Field(ge=0, le=1, description="how well its sources carry it")]


class ToolCall(Message):
    """A tool that was called for an answer, with what it found."""

    tool: Annotated[str, Field(description="its name")]
    arguments: Annotated[dict[str, Any], Field(description="as it was called")]
    found: Annotated[bool, Field(description="whether there was anything to tell")]
    text: Annotated[str, Field(description="a few sentences that tell the result")]
    figures: Annotated[
        list[Figure], Field(description="every number in the text, as exact as it was read")
    ] = []
    chart: Annotated[Chart | None, Field(description="what draws it")] = None
    sources: Annotated[list[ToolSource], Field(description="where the figures come from")] = []


class RecommendedDocument(Message):
    """A document worth reading on what was asked."""

    document_id: Annotated[str, Field(description="of the document")]
    title: Annotated[str, Field(description="of the document")]
    kind: Annotated[str, Field(description="what it is about")]


class Answer(Message):
    """An answer.

    Where ``refused``, ``answer`` says honestly that the documents do not hold it, and ``nearest``
    shows what comes closest.
    """

    answer_id: Annotated[str, Field(description="names the answer, for feedback and the audit")]
    conversation_id: Annotated[str, Field(description="name it to go on from here")]
    question: Annotated[str, Field(description="as it was asked")]
    understood_as: Annotated[
        str | None,
        Field(
            description="the question by itself, where it goes on from one before; null: as asked"
        ),
    ] = None
    language: Annotated[Language, Field(description="of the answer")]
    answer: Annotated[str, Field(description="the whole answer as plain text")]
    refused: Annotated[
        bool,
        Field(description="whether neither documents nor data hold it, or which home is not known"),
    ]
    sentences: Annotated[
        list[AnswerSentence],
        Field(description="the answer sentence by sentence, each with what carries it"),
    ] = []
    citations: Annotated[list[Citation], Field(description="passages that sentences rest on")] = []
    tool_calls: Annotated[
        list[ToolCall], Field(description="tools that were called, with what they found")
    ] = []
    nearest: Annotated[
        list[Passage], Field(description="only where refused: the nearest passages")
    ] = []
    recommended: Annotated[
        list[RecommendedDocument],
        Field(description="documents worth reading on it, where that was asked"),
    ] = []
    model: Annotated[
        str | None,
        Field(description="language model; null: none, worded by templates and extracts"),
    ] = None
    prompt_version: Annotated[
        str, Field(description="of the instructions, templates and bounds it was made by")
    ]
    notes: Annotated[
        list[str],
        Field(
            description=(
                "codes: language_model_away, tool_failed, answered_from_templates, "
                "outside_validity, …"
            )
        ),
    ] = []
    answered_at: Annotated[Instant, Field(description="when it was done")]
    latency_seconds: Annotated[float, Field(description="from the question to the whole answer")]


class Question(Message):
    """A question about documents.

    With ``conversation_id`` it continues an earlier conversation.
    """

    question: Annotated[
        str, Field(min_length=1, max_length=2000, description="in German or English")
    ]
    language: Annotated[Language | None, Field(description="usual: the question's")] = None
    site_id: Annotated[
        SiteName | None,
        Field(
            description="whose prices, plans and forecasts are meant; usual: the asker's only one"
        ),
    ] = None
    conversation_id: Annotated[
        AnswerId | None, Field(description="of the answer that it goes on from")
    ] = None
    filter: Annotated[SearchFilter, Field(description="which documents are looked at")] = (
        SearchFilter()
    )
    model: Annotated[bool, Field(description="false: no language model words the answer")] = True


class AskRequest(Request, Question):
    """Answer a question from documents and the site's data, with sources.

    The reply may say that these do not hold the answer.
    """

    task: ClassVar[str] = "rag.questions.answer"
    reply: ClassVar[type[Message]] = Answer

    asked_by: Annotated[str, Field(max_length=64)] = "local"
    sites: Annotated[tuple[str, ...] | None, Field(description="the asker's; null: all")] = None
    stream: Annotated[
        AnswerId | None,
        Field(
            description=(
                "names where pieces of the answer are published while it is made; null: nobody "
                "listens"
            )
        ),
    ] = None


class StoredAnswer(Message):
    """An answer with everything it was made from, for the audit."""

    answer: Answer
    asked_by: Annotated[str, Field(description="who asked")]
    site_id: Annotated[str | None, Field(description="whose data were meant")] = None
    sites: Annotated[
        list[str],
        Field(
            description=(
                "whose data and documents it tells of; who has not all of them does not see it"
            )
        ),
    ] = []
    prompt: Annotated[
        str | None, Field(description="as the language model was given it; null: none was asked")
    ] = None
    chunk_ids: Annotated[list[int], Field(description="passages that were looked at")] = []
    first_token_seconds: Annotated[
        float | None, Field(description="from the question to the first word of the model")
    ] = None
    prompt_tokens: Annotated[int | None, Field(description="as the model counted them")] = None
    answer_tokens: Annotated[int | None, Field(description="as the model counted them")] = None
    feedback: Annotated[
        Feedback | None, Field(description="what the reader said of it; null: nothing")
    ] = None
    feedback_note: Annotated[str | None, Field(description="in the reader's words")] = None


class AnswerList(Message):
    """Answers, the latest first."""

    answers: Annotated[list[StoredAnswer], Field(description="each with what it was made from")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = (
        None
    )


class Conversation(Message):
    """One person's questions in order, the first question first."""

    conversation_id: Annotated[str, Field(description="name it to go on from here")]
    site_id: Annotated[str | None, Field(description="whose data were meant")] = None
    begun_at: Annotated[Instant, Field(description="when the first question was asked")]
    answers: Annotated[list[Answer], Field(description="the first question's first")]


class FeedbackNote(Message):
    """Whether an answer helped, and why, in the reader's words."""

    feedback: Annotated[Feedback, Field(description="whether it helped")]
    note: Annotated[
        str | None, Field(max_length=1000, pattern=r"^[^\x00]*$", description="why")
    ] = None
