"""From a question to its answer: tools over the site's data first, then documents, then an honest "not there"."""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from luna.contracts.answers import Answer, RecommendedDocument, ToolCall
from luna.contracts.plan import Language
from luna.contracts.search import Passage, SearchFilter, SearchReply, SearchRequest
from luna.energy.errors import LunaError, UnavailableError
from luna.words.answering import say_answering, say_beyond, say_holds, say_recommended
from services.rag.answering.answerability import Answerability, judge_answerability
from services.rag.answering.asked_time import AskedTime, find_asked_time, part_by_time
from services.rag.answering.evidence import AnswerEvidence, gather_evidence
from services.rag.answering.extracts import extract_answer
from services.rag.answering.follow_up import goes_on, stand_alone
from services.rag.answering.plain_text import gives_orders, to_plain_text
from services.rag.answering.ports import Listener, Nobody, ProposedCall, Search, SiteTools
from services.rag.answering.prompts import MOST_CALLS, compose_answer, compose_standalone, compose_tool_choice, read_tool_choice
from services.rag.answering.sentences import detect_language
from services.rag.answering.wording import AnswerDraft, CheckedStream
from services.rag.embedding import Embedder
from services.rag.language import ChatMessage, GaveUpError, Generation, LanguageModel

PASSAGES = 8
# A language model is told of fewer: what stands further down misleads small ones.
PASSAGES_TOLD = 5
NEAREST = 3
MOST_RECOMMENDED = 5
MOST_REWRITTEN = 400
_RECOMMENDS = re.compile(
    r"\b(?:empfohlene|empfehle?\w*|passende|relevante|welche|lesenswerte)\s+(?:mir\s+|sie\s+)?(?:\w+\s+)?(?:dokumente?|unterlagen)\b"
    r".*?\b(?:zum thema|zu[mr]?|über|für)\s+(?P<de>.+)"
    r"|\b(?:recommend(?:ed)?|suggest(?:ed)?|relevant|which|what)\s+(?:me\s+)?(?:\w+\s+)?(?:documents?|reading)\b"
    r".*?\b(?:on|about|for|regarding)\s+(?P<en>.+)",
    re.IGNORECASE | re.DOTALL,
)
_PARTS = re.compile(r"(?<=[.:;!?])\s+")
# What a site's data may answer: only then is a language model asked to choose tools, which takes it seconds.
_ABOUT_DATA = re.compile(
    r"\b(?:price|prices|preise?\w*|strompreis\w*|cost|costs|kosten|kostet|consum\w*|verbrauch\w*|forecast\w*|prognose\w*|vorhersage\w*|plan|plans|plän\w*|geplant|"
    r"batter\w*|speicher\w*|charg\w*|lad\w*|solar\w*|pv|yesterday|today|tomorrow|gestern|heute|morgen|week|woche|month|monat|sav\w*|gespart|ersparnis|why|warum)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what limits where its answer may come from.

    Attributes:
        before: what was answered before in the same conversation, the oldest first.
        today: the local day, by which a model chooses periods.
    """

    question: str
    today: date
    language: Language | None = None
    filter: SearchFilter = field(default_factory=SearchFilter)
    sites: tuple[str, ...] | None = None
    before: tuple[Answer, ...] = ()


@dataclass
class AnswerMade:
    """What came of a question; ``text`` is what is told."""

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
    """Answers questions from what it is given.

    Args:
        search: finds passages among those the asker may see.
        tools: over the site's data; None where no site is meant.
        model: words answers; None: extracts and templates do.
        embedder: compares sentences; None: words alone do.
        told: called before the first word is told.
    """

    search: Search
    tools: SiteTools | None = None
    model: LanguageModel | None = None
    embedder: Embedder | None = None
    listener: Listener = field(default_factory=Nobody)
    told: Callable[[], None] = lambda: None

    def answer(self, asked: Asked) -> AnswerMade:
        """Return the answer.

        Raises:
            GaveUpError: nobody waits for it any more.
            LunaError: documents cannot be searched.
        """
        self.listener.stage("understanding")
        made = AnswerMade(asked.language or self._guess_language(asked))
        question = self._understand(asked, made)
        self._require_listener()
        if (topic := find_topic(question)) is not None:
            self._recommend(topic, asked, made)
        elif not self._ask_tools(question, asked, made):
            self._ask_documents(question, asked, made)
        return made

    def _guess_language(self, asked: Asked) -> Language:
        return detect_language(asked.question, asked.before[-1].language if asked.before else "en")

    def _understand(self, asked: Asked, made: AnswerMade) -> str:
        """Return the question as one that stands by itself."""
        question = _without_orders(" ".join(to_plain_text(asked.question).split()) or asked.question)
        if not asked.before or not goes_on(question):
            return question
        before = asked.before[-1]
        alone = stand_alone(question, before.understood_as or before.question)
        rewritten = self._ask_model(compose_standalone(question, asked.before), made)
        text = to_plain_text(rewritten.text).strip().splitlines() if rewritten else []
        # A rewritten question is a question: long ones and empty ones are something else.
        if text and 0 < len(text[0]) <= MOST_REWRITTEN:
            alone = text[0]
        made.understood_as = alone if alone != asked.question else None
        return alone

    def _ask_tools(self, question: str, asked: Asked, made: AnswerMade) -> bool:
        """Answer from the site's data; returns whether they tell anything."""
        if self.tools is None:
            return False
        self.listener.stage("tools")
        before = asked.before[-1].tool_calls if asked.before else []
        proposed = [*self.tools.match(question, before)] or self._propose(question, asked, made)
        for call in proposed[:MOST_CALLS]:
            self._require_listener()
            self._call(self.tools, call, made)
        told = [place for place, call in enumerate(made.tool_calls) if call.found]
        if not told:
            return False
        draft = self._begin(AnswerEvidence(()), made)
        for place in told:
            draft.add(made.tool_calls[place].text, tool_calls=[place], support=1.0)
        made.notes.append("answered_from_templates")
        made.text = draft.text
        return True

    def _propose(self, question: str, asked: Asked, made: AnswerMade) -> list[ProposedCall]:
        """Return the calls that the language model proposes; it is told the question and the tools, and no word of a document."""
        if self.tools is None or self.model is None or not _ABOUT_DATA.search(question):
            return []
        said = self._ask_model(compose_tool_choice(question, self.tools.descriptions(), today=asked.today.isoformat()), made)
        known = {tool.name for tool in self.tools.descriptions()}
        return [call for call in read_tool_choice(said.text) if call.tool in known] if said else []

    @staticmethod
    def _call(tools: SiteTools, call: ProposedCall, made: AnswerMade) -> None:
        try:
            result = tools.call(call)
        except LunaError:
            _note(made, "tool_failed")
            return
        shared = {name: getattr(result, name) for name in ToolCall.model_fields if hasattr(result, name)}
        made.tool_calls.append(ToolCall(**shared))

    def _ask_documents(self, question: str, asked: Asked, made: AnswerMade) -> None:
        self.listener.stage("searching")
        found = self.search(SearchRequest(query=question[:2000], k=PASSAGES, filter=asked.filter, sites=asked.sites))
        made.chunk_ids = [passage.chunk_id for passage in found.passages]
        when = find_asked_time(question, asked.today)
        parted = part_by_time(found.passages, when, asked.today)
        draft = self._answer_from(question, parted.holding, found=found, made=made, when=when)
        if not draft.sentences and parted.beyond:
            if when is not None and (beyond := self._find_beyond(when, parted.beyond, found, made)):
                self._refuse_beyond(when, beyond, asked, made)
                return
            # Where nothing that holds answers a question about today, what held does, and says so.
            draft = draft if when is not None else self._answer_from(question, parted.beyond, found=found, made=made, when=when)
        if draft.sentences:
            self._say_validity(draft, made, when, asked.today)
            made.text = draft.text
        else:
            self._refuse(found.passages, made)

    def _answer_from(self, question: str, passages: Sequence[Passage], *, found: SearchReply, made: AnswerMade, when: AskedTime | None) -> AnswerDraft:
        """Return what passages say on a question; nothing where they hold no answer."""
        evidence = gather_evidence(passages, self._embedder_of(found))
        language, timeless = detect_language(question, made.language), None if when is None else when.question
        judged = judge_answerability(question, evidence, language=language, model=found.model, timeless=timeless)
        self._require_listener()
        draft = self._begin(evidence, made)
        if judged.answered or (self.model is not None and judged.worth_reading):
            self.listener.stage("answering")
            self._word(question, judged, draft, made)
        return draft

    def _find_beyond(self, when: AskedTime, passages: Sequence[Passage], found: SearchReply, made: AnswerMade) -> list[Passage]:
        """Return the passages that would answer a question if it were about the time at which their documents hold."""
        evidence = gather_evidence(passages, self._embedder_of(found))
        judged = judge_answerability(when.question, evidence, language=detect_language(when.question, made.language), model=found.model)
        return [passages[number - 1] for number in judged.answered_by]

    def _refuse_beyond(self, when: AskedTime, beyond: Sequence[Passage], asked: Asked, made: AnswerMade) -> None:
        """Say when the nearest document holds, and that it does not say what is asked."""
        made.refused, made.nearest = True, list(beyond[:NEAREST])
        _note(made, "outside_validity")
        best = beyond[0]
        days = (best.valid_from, best.valid_until)
        said = say_beyond(to_plain_text(best.title), days, (when.first, when.last), made.language, today=asked.today)
        made.text = " ".join([*(call.text for call in made.tool_calls), said, say_answering("nearest", made.language)])
        self.told()
        self.listener.token(made.text)

    def _say_validity(self, draft: AnswerDraft, made: AnswerMade, when: AskedTime | None, today: date) -> None:
        """Name among the documents that an answer is from those that do not hold at all of the time asked about."""
        sources = {source.passage.document_id: number for number, source in reversed(list(enumerate(draft.evidence.sources, start=1)))}
        for document_id in dict.fromkeys(each.document_id for each in draft.citations):
            passage = draft.evidence.sources[sources[document_id] - 1].passage
            title, days = to_plain_text(passage.title), (passage.valid_from, passage.valid_until)
            if when is None and not AskedTime(today, today, "").is_within(*days):
                _note(made, "outside_validity")
                said = say_beyond(title, days, (today, today), made.language, today=today)
            elif when is not None and not when.is_all_within(*days):
                said = say_holds(title, days, made.language, today=today)
            else:
                continue
            draft.add(said, sources=[sources[document_id]], support=1.0)

    def _word(self, question: str, judged: Answerability, draft: AnswerDraft, made: AnswerMade) -> None:
        """Add what answers the question to the draft: in the model's words where there is one and they are carried, else as extracts."""
        if self.model is not None:
            said_not_found = self._word_by_model(question, draft, made)
            if draft.sentences or said_not_found:
                return
        self.listener.stage("checking")
        for extract in extract_answer(question, draft.evidence, judged.answered_by):
            draft.add(extract.text, sources=[extract.number], support=1.0)

    def _word_by_model(self, question: str, draft: AnswerDraft, made: AnswerMade) -> bool:
        """Add the sentences of the model that passages carry; returns whether it says that they hold no answer."""
        evidence = AnswerEvidence(draft.evidence.sources[:PASSAGES_TOLD], draft.evidence.embedder)
        draft.evidence = evidence
        stream = CheckedStream(draft)
        messages = compose_answer(question, evidence, language=made.language, mark=f"<<{secrets.token_hex(8)}>>")
        if self._ask_model(messages, made, on_text=stream.hear) is not None:
            stream.end()
        if stream.dropped:
            _note(made, "sentences_dropped")
        return stream.says_not_found and not draft.sentences

    def _ask_model(self, messages: list[ChatMessage], made: AnswerMade, *, on_text: Callable[[str], None] = lambda _: None) -> Generation | None:
        """Return what the language model says; None where there is none or it is away."""
        if self.model is None or "language_model_away" in made.notes:
            return None
        made.prompts.append("\n\n".join(f"{message.role}:\n{message.content}" for message in messages))
        try:
            said = self.model.generate(messages, on_text=on_text, gave_up=self.listener.gave_up)
        except GaveUpError:
            raise
        except UnavailableError:
            _note(made, "language_model_away")
            return None
        made.model = self.model.model
        made.prompt_tokens = (made.prompt_tokens or 0) + (said.prompt_tokens or 0)
        made.answer_tokens = (made.answer_tokens or 0) + (said.answer_tokens or 0)
        return said

    def _refuse(self, found: Sequence[Passage], made: AnswerMade) -> None:
        """Say that neither data nor documents hold it, and what comes nearest."""
        made.refused = True
        made.nearest = list(found[:NEAREST])
        codes = ("not_in_documents", "nearest") if made.nearest else ("no_documents",)
        # What a tool found nothing in is told as well: it says why.
        parts = [*(call.text for call in made.tool_calls), *(say_answering(code, made.language) for code in codes)]
        made.text = " ".join(part for part in parts if part)
        self.told()
        self.listener.token(made.text)

    def _recommend(self, topic: str, asked: Asked, made: AnswerMade) -> None:
        """Name the documents that are nearest to a topic."""
        self.listener.stage("searching")
        found = self.search(SearchRequest(query=topic[:2000], k=4 * PASSAGES, filter=asked.filter, sites=asked.sites))
        made.chunk_ids = [passage.chunk_id for passage in found.passages]
        evidence = gather_evidence(found.passages, self._embedder_of(found))
        judged = judge_answerability(topic, evidence, language=detect_language(topic, made.language), model=found.model)
        best = {evidence.sources[number - 1].passage.document_id: number for number in reversed(judged.answered_by)}
        order = sorted(best.values())[:MOST_RECOMMENDED]
        chosen = [evidence.sources[number - 1].passage for number in order]
        made.recommended = [RecommendedDocument(document_id=each.document_id, title=each.title, kind=each.kind) for each in chosen]
        draft = self._begin(evidence, made)
        if not chosen:
            made.refused, made.nearest = True, found.passages[:NEAREST]
            made.text = say_answering("nothing_to_recommend", made.language)
            self.told()
            self.listener.token(made.text)
            return
        draft.add(say_recommended([to_plain_text(each.title) for each in chosen], made.language), sources=order, support=1.0)
        made.text = draft.text

    def _embedder_of(self, found: SearchReply) -> Embedder | None:
        """Return what compares sentences, where the search has just used it."""
        return self.embedder if self.embedder is not None and self.embedder.model == found.model else None

    def _begin(self, evidence: AnswerEvidence, made: AnswerMade) -> AnswerDraft:
        made.draft = AnswerDraft(evidence, self.listener, told=self.told)
        return made.draft

    def _require_listener(self) -> None:
        if self.listener.gave_up():
            raise GaveUpError("nobody waits for the answer any more")


def find_topic(question: str) -> str | None:
    """Return what documents are to be recommended on; None where the question asks for something else."""
    found = _RECOMMENDS.search(question)
    return None if found is None else (found["de"] or found["en"]).strip(" ?.!\"'„“")


def _without_orders(question: str) -> str:
    """Return what a question asks, without what it orders a model to do; all of it where nothing else is left."""
    return " ".join(part for part in _PARTS.split(question) if not gives_orders(part)) or question


def _note(made: AnswerMade, code: str) -> None:
    if code not in made.notes:
        made.notes.append(code)
