"""Answers a question: from the site's data by tools, else from documents, else by refusing."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from luna.contracts.answers import Answer, RecommendedDocument, ToolCall
from luna.contracts.search import Passage, SearchFilter, SearchReply, SearchRequest
from luna.contracts.site_tools import ToolResult
from luna.energy.errors import LunaError, UnavailableError
from luna.words import Language
from luna.words.answering import (
    say_answering,
    say_beyond,
    say_holds,
    say_recommended,
    say_sheet_fault,
    write_sheet_question,
    write_site_question,
)
from services.rag.answering.answerability import judge_answerability
from services.rag.answering.citations import AnswerDraft, CheckedStream
from services.rag.answering.evidence import AnswerEvidence, gather_evidence
from services.rag.answering.matching import stems_of
from services.rag.answering.plain_text import gives_orders, to_plain_text
from services.rag.answering.ports import Listener, Nobody, ProposedCall, Search, SiteTools
from services.rag.answering.prompts import (
    MOST_CALLS,
    compose_answer,
    compose_standalone,
    compose_tool_choice,
    read_tool_choice,
)
from services.rag.answering.question import (
    QuestionTime,
    find_question_time,
    goes_on,
    part_by_time,
    stand_alone,
)
from services.rag.answering.reading.reader import GUIDE, GUIDE_WORD, read_answer
from services.rag.answering.sentences import detect_language
from services.rag.answering.tariff_sheet import has_energy_price, read_sheet
from services.rag.embedding import Embedder
from services.rag.language import ChatMessage, GaveUpError, Generation, LanguageModel

PASSAGES_SEARCHED = 60
PASSAGES = 24
# So much nearer a passage of Luna's own guide has to be than one of the owner's documents.
GUIDE_DISTANCE = 0.5
# Fewer go into the prompt: passages of a low rank mislead small language models.
PASSAGES_IN_PROMPT = 5
NEAREST = 3
MOST_RECOMMENDED = 5
MOST_REWRITTEN = 400
_RECOMMENDS = re.compile(
    r"\b(?:empfohlene|empfehle?\w*|passende|relevante|welche|lesenswerte)\s+(?:mir\s+|"
    r"sie\s+)?(?:\w+\s+)?(?:dokumente?|unterlagen)\b"
    r".*?\b(?:zum thema|zu[mr]?|über|für)\s+(?P<de>.+)"
    r"|\b(?:recommend(?:ed)?|suggest(?:ed)?|relevant|which|what)\s+(?:me\s+)?(?:\w+\s+)?(?"
    r":documents?|reading)\b"
    r".*?\b(?:on|about|for|regarding)\s+(?P<en>.+)",
    re.IGNORECASE | re.DOTALL,
)
_SENTENCE_BREAKS = re.compile(r"(?<=[.:;!?])\s+")
# Added to a search for tariff sheets.
_SHEET_WORDS = (
    "Preisblatt Arbeitspreis Grundpreis Nachtpreis tariff sheet unit rate standing charge "
    "tariefblad stroomtarief vastrecht kWh"
)
# Words of questions on a site's data: only then does a language model choose tools, which takes it
# seconds.
_ABOUT_DATA = re.compile(
    r"\b(?:price|prices|preise?\w*|strompreis\w*|cost|costs|kosten|kostet|consum\w*|"
    r"verbrauch\w*|forecast\w*|prognose\w*|vorhersage\w*|plan|plans|plän\w*|geplant|"
    r"batter\w*|speicher\w*|charg\w*|lad\w*|solar\w*|pv|yesterday|today|tomorrow|gestern|"
    r"heute|morgen|week|woche|month|monat|sav\w*|gespart|ersparnis|why|warum)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class QuestionContext:
    """A question, its conversation, and the limits on the sources of its answer.

    Attributes:
        today: the site's local date, to which "yesterday" and the validity of documents refer.
        before: earlier answers of the conversation, the oldest first.
    """

    question: str
    today: date
    language: Language | None = None
    filter: SearchFilter = field(default_factory=SearchFilter)
    sites: tuple[str, ...] | None = None
    before: tuple[Answer, ...] = ()


@dataclass
class AnswerResult:
    """The result of answering a question; ``text`` is the answer's text."""

    language: Language
    understood_as: str | None = None
    text: str = ""
    refused: bool = False
    draft: AnswerDraft | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
    nearest: list[Passage] = field(default_factory=list)
    recommended: list[RecommendedDocument] = field(default_factory=list)
    chunk_ids: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    model: str | None = None
    prompts: list[str] = field(default_factory=list)
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


@dataclass
class Answerer:
    """Answers questions from passages and the site's data.

    Args:
        search: finds passages among those the asker may see.
        tools: over the site's data; None without a site.
        sites: the asker's, of which the question names none; a question on data is answered by
            the question which is meant.
        model: writes answers; None: they consist of extracts and templates.
        embedder: compares sentences; None: they are compared by words alone.
        on_first_text: called before the first text of the answer is sent.
    """

    search: Search
    tools: SiteTools | None = None
    sites: tuple[str, ...] = ()
    model: LanguageModel | None = None
    embedder: Embedder | None = None
    listener: Listener = field(default_factory=Nobody)
    on_first_text: Callable[[], None] = lambda: None

    def answer(self, context: QuestionContext) -> AnswerResult:
        """Return the answer.

        Raises:
            GaveUpError: the listener is gone.
            LunaError: documents cannot be searched.
        """
        self.listener.stage("understanding")
        usual_language = context.before[-1].language if context.before else "en"
        language = context.language or detect_language(context.question, usual_language)
        result = AnswerResult(language)
        question = _drop_orders(context.question)
        if context.before and goes_on(question):
            question = self._complete(question, context, result)
            result.understood_as = question if question != context.question else None
        self._require_listener()
        topic = find_topic(question)
        if topic is not None:
            self._recommend(topic, context, result)
            return result
        on_sheet = [*self.tools.match_on_sheet(question)] if self.tools else []
        if self.sites and self.tools is not None and (on_sheet or self.tools.match(question)):
            _note(result, "site_not_named")
            self._refuse(result, [], [write_site_question(self.sites, result.language)])
            return result
        if on_sheet:
            self._ask_sheet(question, context, result, on_sheet[0])
            return result
        # For a price to come, a contract counts more than the entered tariff: documents first.
        has_data = self.tools is not None and not self.sites
        ahead = [*self.tools.match_ahead(question)] if self.tools and has_data else []
        if ahead or not self._ask_tools(question, context, result):
            self._ask_documents(question, context, result, ahead=ahead)
        return result

    def _complete(self, question: str, context: QuestionContext, result: AnswerResult) -> str:
        """Return a follow-up question as one that tools and search understand by itself."""
        before = context.before[-1]
        standalone = stand_alone(question, before.understood_as or before.question)
        rewritten = self._ask_model(compose_standalone(question, context.before), result)
        lines = to_plain_text(rewritten.text).strip().splitlines() if rewritten else []
        # A model that writes nothing or at length has answered instead of rewritten.
        if lines and 0 < len(lines[0]) <= MOST_REWRITTEN:
            return lines[0]
        return standalone

    def _ask_tools(self, question: str, context: QuestionContext, result: AnswerResult) -> bool:
        """Answer from the site's data; return whether any tool found something."""
        if self.tools is None or self.sites:
            return False
        self.listener.stage("tools")
        before = context.before[-1].tool_calls if context.before else []
        proposed = [*self.tools.match(question, before)]
        if not proposed and self.model is not None and _ABOUT_DATA.search(question):
            # The prompt holds the question and the tools alone: no document can inject a call.
            descriptions = self.tools.descriptions()
            prompt = compose_tool_choice(question, descriptions, today=context.today.isoformat())
            reply = self._ask_model(prompt, result)
            if reply:
                tool_names = {tool.name for tool in descriptions}
                calls = read_tool_choice(reply.text)
                proposed = [call for call in calls if call.tool in tool_names]
        return self._call_tools(proposed, result)

    def _call_tools(self, proposed: Sequence[ProposedCall], result: AnswerResult) -> bool:
        """Call tools and answer by their texts; return whether any found something."""
        if self.tools is None:
            return False
        for call in proposed[:MOST_CALLS]:
            self._call(call, result)
        answered = [index for index, call in enumerate(result.tool_calls) if call.found]
        if not answered:
            return False
        draft = self._begin(AnswerEvidence(()), result)
        for index in answered:
            draft.add(result.tool_calls[index].text, tool_calls=[index])
        result.notes.append("answered_from_templates")
        result.text = draft.text
        return True

    def _call(self, proposed: ProposedCall, result: AnswerResult) -> ToolCall | None:
        """Call a tool and note its result; None where it fails."""
        self._require_listener()
        if self.tools is None:
            return None
        try:
            tool_result = self.tools.call(proposed)
        except LunaError:
            _note(result, "tool_failed")
            return None
        shared = ToolCall.model_fields.keys() & ToolResult.model_fields.keys()
        fields = {name: getattr(tool_result, name) for name in shared}
        result.tool_calls.append(ToolCall(**fields))
        return result.tool_calls[-1]

    def _ask_documents(
        self,
        question: str,
        context: QuestionContext,
        result: AnswerResult,
        *,
        ahead: Sequence[ProposedCall] = (),
    ) -> None:
        """Answer from documents, else by the calls for a price to come, else refuse."""
        search_reply = self._search(question, PASSAGES_SEARCHED, context, result)
        search_reply = search_reply.model_copy(
            update={"passages": order_passages(question, search_reply.passages)[:PASSAGES]}
        )
        result.chunk_ids = [passage.chunk_id for passage in search_reply.passages]
        when = find_question_time(question, context.today)
        parted = part_by_time(search_reply.passages, when, context.today)
        draft = self._answer_from(
            question, parted.holding, search_reply=search_reply, result=result, when=when
        )
        if not draft.sentences and self._call_tools(ahead, result):
            return
        if not draft.sentences and parted.beyond and when is None:
            # No valid document answers a question about today: an outdated one does, and says so.
            draft = self._answer_from(
                question, parted.beyond, search_reply=search_reply, result=result, when=when
            )
        if draft.sentences:
            self._say_validity(draft, result, when, context.today)
            result.text = draft.text
            return
        if when is not None and parted.beyond:
            nearest = self._find_outside_validity(when, parted.beyond, search_reply, result)
            if nearest:
                _note(result, "outside_validity")
                sentence = say_beyond(
                    to_plain_text(nearest[0].title),
                    (nearest[0].valid_from, nearest[0].valid_until),
                    (when.first, when.last),
                    result.language,
                    today=context.today,
                )
                reasons = [sentence, say_answering("nearest", result.language)]
                self._refuse(result, nearest, reasons)
                return
        nearest = list(search_reply.passages[:NEAREST])
        codes = ("not_in_documents", "nearest") if nearest else ("no_documents",)
        reasons = [say_answering(code, result.language) for code in codes]
        self._refuse(result, nearest, reasons)

    def _ask_sheet(
        self,
        question: str,
        context: QuestionContext,
        result: AnswerResult,
        proposed: ProposedCall,
    ) -> None:
        """Answer by recorded data at the prices of a tariff sheet, citing both; else refuse."""
        query = f"{question} {_SHEET_WORDS}"
        search_reply = self._search(query, PASSAGES_SEARCHED, context, result)
        titles = _find_sheets(question, search_reply.passages)
        if len(titles) != 1:
            reason = say_answering("sheet_none", result.language)
            if titles:
                reason = write_sheet_question(list(titles.values()), result.language)
            self._refuse(result, list(search_reply.passages[:NEAREST]), [reason])
            return
        (document_id, title), *_ = titles.items()
        narrowed = context.filter.model_copy(update={"document_ids": (document_id,)})
        passages = self._search(
            query, PASSAGES_SEARCHED, replace(context, filter=narrowed), result
        ).passages
        passages = [passage for passage in passages if passage.document_id == document_id]
        evidence = gather_evidence(passages, None)
        sheet = read_sheet(question, evidence)
        if isinstance(sheet, str):
            reason = say_sheet_fault(sheet, to_plain_text(title), result.language)
            self._refuse(result, passages[:NEAREST], [reason])
            return
        arguments = dict(proposed.arguments) | sheet.arguments
        draft = self._begin(evidence, result)
        call = self._call(ProposedCall(proposed.tool, arguments), result)
        if call is None or not call.found:
            self._refuse(result, passages[:NEAREST], [])
            return
        draft.add(call.text, sources=sheet.numbers, tool_calls=[len(result.tool_calls) - 1])
        _note(result, "answered_from_templates")
        result.text = draft.text

    def _search(
        self, query: str, count: int, context: QuestionContext, result: AnswerResult
    ) -> SearchReply:
        self.listener.stage("searching")
        request = SearchRequest(
            query=query[:2000], k=count, filter=context.filter, sites=context.sites
        )
        search_reply = self.search(request)
        result.chunk_ids = [passage.chunk_id for passage in search_reply.passages]
        return search_reply

    def _find_outside_validity(
        self,
        when: QuestionTime,
        passages: Sequence[Passage],
        search_reply: SearchReply,
        result: AnswerResult,
    ) -> list[Passage]:
        """Return the nearest passages that would answer at the time for which they are valid."""
        evidence = gather_evidence(passages, self._embedder_of(search_reply))
        judged = judge_answerability(
            when.question,
            evidence,
            language=detect_language(when.question, result.language),
            model=search_reply.model,
        )
        return [passages[number - 1] for number in judged.answered_by[:NEAREST]]

    def _refuse(self, result: AnswerResult, nearest: list[Passage], reasons: Sequence[str]) -> None:
        """Refuse with the nearest passages; tools that found nothing give their reasons first."""
        result.refused = True
        result.nearest = nearest
        texts = [*(call.text for call in result.tool_calls), *reasons]
        result.text = " ".join(text for text in texts if text)
        self.on_first_text()
        self.listener.token(result.text)

    def _answer_from(
        self,
        question: str,
        passages: Sequence[Passage],
        *,
        search_reply: SearchReply,
        result: AnswerResult,
        when: QuestionTime | None,
    ) -> AnswerDraft:
        """Return an answer from passages: the model's sentences that they support, else extracts.

        An empty draft where they do not answer.
        """
        evidence = gather_evidence(passages, self._embedder_of(search_reply))
        language = detect_language(question, result.language)
        timeless = None if when is None else when.question
        self._require_listener()
        draft = self._begin(evidence, result)
        if self.model is not None:
            judged = judge_answerability(
                question, evidence, language=language, model=search_reply.model, timeless=timeless
            )
            if not judged.worth_reading:
                return draft
        self.listener.stage("answering")
        if self.model is not None:
            draft.evidence = AnswerEvidence(
                evidence.sources[:PASSAGES_IN_PROMPT], evidence.embedder
            )
            stream = CheckedStream(draft)
            messages = compose_answer(
                question,
                draft.evidence,
                language=result.language,
                mark=f"<<{secrets.token_hex(8)}>>",
            )
            if self._ask_model(messages, result, on_text=stream.hear) is not None:
                stream.end()
            if stream.dropped:
                _note(result, "sentences_dropped")
            if draft.sentences or stream.is_unanswerable:
                return draft
            # Extracts may come from all passages, also those left out of the prompt.
            draft.evidence = evidence
        self.listener.stage("checking")
        answers = read_answer(question, draft.evidence, language, timeless=timeless)
        for answer in answers:
            if draft.evidence.is_claimed(answer.text, [answer.number]):
                draft.add(answer.text, sources=[answer.number])
        return draft

    def _say_validity(
        self, draft: AnswerDraft, result: AnswerResult, when: QuestionTime | None, today: date
    ) -> None:
        """Add the validity of cited documents that do not hold for the question's whole time."""
        sources: dict[str, int] = {}
        for number, source in enumerate(draft.evidence.sources, start=1):
            sources.setdefault(source.passage.document_id, number)
        for document_id in dict.fromkeys(citation.document_id for citation in draft.citations):
            passage = draft.evidence.sources[sources[document_id] - 1].passage
            title = to_plain_text(passage.title)
            days = (passage.valid_from, passage.valid_until)
            if when is None and not QuestionTime(today, today, "").is_within(*days):
                _note(result, "outside_validity")
                sentence = say_beyond(title, days, (today, today), result.language, today=today)
            elif when is not None and not when.is_all_within(*days):
                sentence = say_holds(title, days, result.language, today=today)
            else:
                continue
            draft.add(sentence, sources=[sources[document_id]])

    def _ask_model(
        self,
        messages: list[ChatMessage],
        result: AnswerResult,
        *,
        on_text: Callable[[str], None] = lambda _: None,
    ) -> Generation | None:
        """Return the language model's reply; None where there is none or it is away."""
        if self.model is None or "language_model_away" in result.notes:
            return None
        written = [f"{message.role}:\n{message.content}" for message in messages]
        result.prompts.append("\n\n".join(written))
        try:
            generation = self.model.generate(
                messages, on_text=on_text, gave_up=self.listener.gave_up
            )
        except GaveUpError:
            raise
        except UnavailableError:
            _note(result, "language_model_away")
            return None
        result.model = self.model.model
        result.prompt_tokens = (result.prompt_tokens or 0) + (generation.prompt_tokens or 0)
        result.answer_tokens = (result.answer_tokens or 0) + (generation.answer_tokens or 0)
        return generation

    def _recommend(self, topic: str, context: QuestionContext, result: AnswerResult) -> None:
        """Answer with the documents that are nearest to a topic."""
        search_reply = self._search(topic, PASSAGES_SEARCHED, context, result)
        evidence = gather_evidence(search_reply.passages, self._embedder_of(search_reply))
        judged = judge_answerability(
            topic,
            evidence,
            language=detect_language(topic, result.language),
            model=search_reply.model,
        )
        best: dict[str, int] = {}
        for number in judged.answered_by:
            best.setdefault(evidence.sources[number - 1].passage.document_id, number)
        order = sorted(best.values())[:MOST_RECOMMENDED]
        chosen = [evidence.sources[number - 1].passage for number in order]
        for passage in chosen:
            document = RecommendedDocument(
                document_id=passage.document_id, title=passage.title, kind=passage.kind
            )
            result.recommended.append(document)
        draft = self._begin(evidence, result)
        if not chosen:
            result.refused = True
            result.nearest = search_reply.passages[:NEAREST]
            result.text = say_answering("nothing_to_recommend", result.language)
            self.on_first_text()
            self.listener.token(result.text)
            return
        titles = [to_plain_text(passage.title) for passage in chosen]
        draft.add(say_recommended(titles, result.language), sources=order)
        result.text = draft.text

    def _embedder_of(self, search_reply: SearchReply) -> Embedder | None:
        """Return the embedder if the search has just used its model; otherwise it is away."""
        if self.embedder is not None and self.embedder.model == search_reply.model:
            return self.embedder
        return None

    def _begin(self, evidence: AnswerEvidence, result: AnswerResult) -> AnswerDraft:
        result.draft = AnswerDraft(evidence, self.listener, on_first_text=self.on_first_text)
        return result.draft

    def _require_listener(self) -> None:
        if self.listener.gave_up():
            raise GaveUpError("nobody waits for the answer any more")


def order_passages(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """Return passages with Luna's guide behind others, unless a question names Luna."""
    if GUIDE_WORD in question.lower():
        return list(passages)
    return sorted(passages, key=_order_of, reverse=True)


def _order_of(passage: Passage) -> float:
    return passage.score - (GUIDE_DISTANCE if passage.title.startswith(GUIDE) else 0.0)


def _find_sheets(question: str, passages: Sequence[Passage]) -> dict[str, str]:
    """Return the titles by document of those that may be meant: named ones, else the newest."""
    sheets: dict[str, Passage] = {}
    for passage in passages:
        is_guide = passage.title.startswith(GUIDE)
        if not is_guide and has_energy_price([passage.text]):
            sheets.setdefault(passage.document_id, passage)
    asked = stems_of(question)
    named: dict[str, int] = {}
    for document_id, passage in sheets.items():
        others = [each.title for each in sheets.values() if each.document_id != document_id]
        own = stems_of(passage.title) - frozenset().union(*map(stems_of, others))
        named[document_id] = len(own & asked)
    most = max(named.values(), default=0)
    if most and list(named.values()).count(most) == 1:
        chosen = [document_id for document_id, count in named.items() if count == most]
    else:
        tariffs = [key for key, passage in sheets.items() if passage.kind == "tariff"]
        chosen = _keep_newest(tariffs or list(sheets), sheets)
    return {document_id: sheets[document_id].title for document_id in chosen}


def _keep_newest(document_ids: Sequence[str], sheets: Mapping[str, Passage]) -> list[str]:
    """Return the document that is valid or dated last; all where days do not tell."""
    days = {key: sheets[key].valid_from or sheets[key].dated for key in document_ids}
    known = [day for day in days.values() if day is not None]
    if len(known) < len(days) or not known or known.count(max(known)) > 1:
        return list(document_ids)
    return [key for key, day in days.items() if day == max(known)]


def find_topic(question: str) -> str | None:
    """Return the topic of a question for recommended documents; None for any other question."""
    match = _RECOMMENDS.search(question)
    if match is None:
        return None
    topic = match["de"] or match["en"]
    return topic.strip(" ?.!\"'„“")


def _drop_orders(question: str) -> str:
    """Return a question without the sentences that instruct a model, unless there are no others.

    It guards against prompt injection.
    """
    plain = " ".join(to_plain_text(question).split()) or question
    sentences = _SENTENCE_BREAKS.split(plain)
    harmless = [sentence for sentence in sentences if not gives_orders(sentence)]
    return " ".join(harmless) or plain


def _note(result: AnswerResult, code: str) -> None:
    if code not in result.notes:
        result.notes.append(code)
