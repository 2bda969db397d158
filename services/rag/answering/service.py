"""Answers a question, streams the answer, and stores it with its sources and prompts."""

import json
import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Engine

from luna.contracts.answers import Answer, AnswerSentence, AskRequest, StoredAnswer
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.timeline import parse_zone
from luna.platform.clock import Clock
from luna.platform.database import answers, documents, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.answer_streams import AnswerStreams
from luna.platform.queue.task_metrics import TaskCounter, TaskHistogram
from luna.words import Language
from services.rag.answering.answerer import Answerer, AnswerResult, QuestionContext
from services.rag.answering.ports import Listener, Nobody, Search, SiteTools, Stage
from services.rag.answering.prompts import PROMPT_VERSION
from services.rag.answering.sentences import detect_language
from services.rag.embedding import Embedder
from services.rag.language import LanguageModel

# Number of previous questions that a follow-up is understood by.
REMEMBERED = 4
# Least interval between two checks in Redis whether the asker has left.
LOOK_SECONDS = 0.3
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 80, 160)
ANSWER_SECONDS = TaskHistogram(
    "luna_rag_answer_seconds",
    "Time from a question to its answer, by how it is worded.",
    ["worded"],
    buckets=_BUCKETS,
)
FIRST_TOKEN_SECONDS = TaskHistogram(
    "luna_rag_first_token_seconds",
    "Time from a question to the first checked word of its answer.",
    buckets=_BUCKETS,
)
REFUSALS = TaskCounter(
    "luna_rag_refusals_total", "Questions that neither documents nor data answer."
)
TOKENS = TaskCounter(
    "luna_rag_tokens_total",
    "Tokens of the language model as its server counts them, by what they are: prompt, answer.",
    ["kind"],
)

log = structlog.get_logger("luna.rag")

OpenTools = Callable[[AskRequest, str, Language], SiteTools]


@dataclass(frozen=True)
class AnsweringParts:
    """The parts of answering in one process.

    Attributes:
        search: finds passages; opens its own unit of work.
        tools: returns the tools over a site for a request, in a language.
        model: generates answers; None: answers are extracts.
        embedder: compares sentences; None: they are compared by words.
    """

    database: Engine
    search: Search
    tools: OpenTools | None = None
    model: LanguageModel | None = None
    embedder: Embedder | None = None


class StreamListener:
    """Publishes an answer to its stream, and checks whether the asker has left."""

    def __init__(self, streams: AnswerStreams, stream: str) -> None:
        self._streams = streams
        self._stream = stream
        self._looked_at = 0.0
        self._gave_up = False

    def stage(self, stage: Stage) -> None:
        """Publish the name of the running stage."""
        self._streams.add(self._stream, "stage", json.dumps({"stage": stage}))

    def token(self, text: str) -> None:
        """Publish the next words."""
        self._streams.add(self._stream, "token", json.dumps({"text": text}, ensure_ascii=False))

    def sentence(self, sentence: AnswerSentence) -> None:
        """Publish a checked sentence."""
        self._streams.add(self._stream, "sentence", sentence.model_dump_json())

    def gave_up(self) -> bool:
        """Return whether the asker has left."""
        if not self._gave_up and time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._gave_up = self._streams.cancelled(self._stream)
            self._looked_at = time.monotonic()
        return self._gave_up


def answer_published(
    request: AskRequest, parts: AnsweringParts, *, clock: Clock, streams: AnswerStreams | None
) -> Answer:
    """Answer and store a question.

    Where the request names a stream, publish the pieces there, and the answer or problem as the
    last one.

    Raises:
        LunaError: as ``answer_question``.
    """
    if request.stream is None or streams is None:
        return answer_question(request, parts, clock=clock)
    try:
        answer = answer_question(
            request, parts, clock=clock, listener=StreamListener(streams, request.stream)
        )
    except LunaError as error:
        streams.add(request.stream, "problem", json.dumps(error.problem(), ensure_ascii=False))
        raise
    streams.add(request.stream, "answer", answer.model_dump_json())
    return answer


def answer_question(
    request: AskRequest, parts: AnsweringParts, *, clock: Clock, listener: Listener | None = None
) -> Answer:
    """Answer a question and store the answer.

    Raises:
        NotFoundError: no such conversation or site, or it is not the asker's.
        UnavailableError: the search is away.
        GaveUpError: the asker has left; nothing is stored.
    """
    timing = _Timing(time.perf_counter())
    setting = _prepare(request, parts.database, clock.now())
    tools = None
    # Of several sites, any tells whether the question is about data.
    tools_site = setting.site_id or next(iter(setting.unnamed_sites), None)
    if parts.tools is not None and tools_site is not None:
        tools = parts.tools(request, tools_site, setting.language_of(request))
    answerer = Answerer(
        search=parts.search,
        tools=tools,
        sites=setting.unnamed_sites,
        model=parts.model if request.model else None,
        embedder=parts.embedder,
        listener=listener or Nobody(),
        on_first_text=timing.note_first,
    )
    result = answerer.answer(setting.context_of(request))
    stored = _compose(request, setting, result, timing, now=clock.now())
    with unit_of_work(parts.database) as connection:
        recommended_ids = [document.document_id for document in result.recommended]
        source_sites = documents.list_sites(connection, recommended_ids, result.chunk_ids)
        stored = stored.model_copy(update={"sites": sorted(source_sites | setting.sites)})
        if request.conversation_id is None:
            answers.begin_conversation(
                connection,
                setting.conversation_id,
                asked_by=request.asked_by,
                site_id=setting.site_id,
                at=stored.answer.answered_at,
            )
        answers.save(connection, stored)
    _report(stored, result)
    return stored.answer


def _report(stored: StoredAnswer, result: AnswerResult) -> None:
    """Count an answer in the metrics and log it."""
    worded = "extracts"
    if result.refused:
        worded = "refused"
    elif result.tool_calls:
        worded = "tools"
    elif result.model:
        worded = "model"
    ANSWER_SECONDS.labels(worded).observe(stored.answer.latency_seconds)
    if stored.first_token_seconds is not None:
        FIRST_TOKEN_SECONDS.observe(stored.first_token_seconds)
    if result.refused:
        REFUSALS.inc()
    for kind, tokens in (("prompt", result.prompt_tokens), ("answer", result.answer_tokens)):
        TOKENS.labels(kind).inc(tokens or 0)
    log.info(
        "question answered",
        worded=worded,
        seconds=stored.answer.latency_seconds,
        passages=len(stored.chunk_ids),
        notes=result.notes,
    )


@dataclass
class _Timing:
    """Stopwatch of an answer: total time, and time to the first token."""

    begun: float
    first_token_seconds: float | None = None

    def note_first(self) -> None:
        self.first_token_seconds = time.perf_counter() - self.begun

    def total(self) -> float:
        return time.perf_counter() - self.begun


@dataclass(frozen=True)
class _Setting:
    """A question's site, its conversation, the previous answers and their sites.

    ``unnamed_sites``: the asker's, where there are several and the question names none.
    """

    conversation_id: str
    site_id: str | None
    now: datetime
    before: tuple[Answer, ...] = field(default_factory=tuple)
    sites: frozenset[str] = frozenset()
    unnamed_sites: tuple[str, ...] = ()

    def context_of(self, request: AskRequest) -> QuestionContext:
        return QuestionContext(
            question=request.question,
            today=self.now.date(),
            language=request.language,
            filter=request.filter,
            sites=request.sites,
            before=self.before,
        )

    def language_of(self, request: AskRequest) -> Language:
        usual = self.before[-1].language if self.before else "en"
        return request.language or detect_language(request.question, usual)


def _prepare(request: AskRequest, database: Engine, now: datetime) -> _Setting:
    with unit_of_work(database) as connection:
        conversation_site: str | None = None
        before: tuple[Answer, ...] = ()
        conversation_sites: list[str] = []
        if request.conversation_id is not None:
            conversation_site = answers.require_conversation(
                connection, request.conversation_id, asked_by=request.asked_by
            )
            questions = answers.list_questions(connection, request.conversation_id, most=REMEMBERED)
            before = tuple(questions)
            conversation_sites = answers.list_sites(connection, request.conversation_id)
        own = sites.names(connection)
        if request.sites is not None:
            own = [name for name in own if name in request.sites]
        requested_site = request.site_id or conversation_site
        if requested_site is not None and requested_site not in own:
            raise refuse(
                "no-site-of-asker",
                field="site_id",
                value=requested_site,
                remedy="Name one of your sites.",
            )
        candidates = own if len(own) == 1 else find_named_sites(request.question, own)
        site_id = requested_site or (candidates[0] if len(candidates) == 1 else None)
        zone = None if site_id is None else parse_zone(sites.load(connection, site_id).timezone)
    return _Setting(
        request.conversation_id or uuid.uuid4().hex,
        site_id,
        now.astimezone(zone),
        before,
        frozenset(conversation_sites),
        () if site_id is not None else tuple(own),
    )


def find_named_sites(question: str, names: Sequence[str]) -> list[str]:
    """Return the sites whose names stand in a question as whole words, by their own order."""
    plain = question.casefold()
    found = []
    for name in names:
        spoken = re.escape(name.casefold()).replace("_", "[_ -]")
        if re.search(rf"(?<!\w){spoken}(?!\w)", plain):
            found.append(name)
    return found


def _compose(
    request: AskRequest, setting: _Setting, result: AnswerResult, timing: _Timing, *, now: datetime
) -> StoredAnswer:
    draft = result.draft
    answer = Answer(
        answer_id=uuid.uuid4().hex,
        conversation_id=setting.conversation_id,
        question=request.question,
        understood_as=result.understood_as,
        language=result.language,
        answer=result.text,
        refused=result.refused,
        sentences=draft.sentences if draft else [],
        citations=draft.citations if draft else [],
        tool_calls=result.tool_calls,
        nearest=result.nearest,
        recommended=result.recommended,
        model=result.model,
        prompt_version=PROMPT_VERSION,
        notes=result.notes,
        answered_at=now,
        latency_seconds=round(timing.total(), 4),
    )
    return StoredAnswer(
        answer=answer,
        asked_by=request.asked_by,
        site_id=setting.site_id,
        prompt="\n\n----\n\n".join(result.prompts) or None,
        chunk_ids=result.chunk_ids,
        first_token_seconds=timing.first_token_seconds,
        prompt_tokens=result.prompt_tokens,
        answer_tokens=result.answer_tokens,
    )
