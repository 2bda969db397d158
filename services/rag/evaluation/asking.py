"""Answers the set's questions as the service does, over the set's own passages in memory and with tools that only record their calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from luna.contracts.answers import ToolCall
from luna.contracts.search import Passage, SearchReply, SearchRequest
from luna.contracts.site_tools import ToolDescription, ToolResult
from luna.energy.site import Site, parse_site
from services.rag.answering.answerer import Answerer, AnswerResult, QuestionContext
from services.rag.answering.ports import ProposedCall
from services.rag.embedding import Embedder
from services.rag.evaluation.own_set import OwnQuestion
from services.rag.evaluation.ranking import Corpus
from services.rag.language import LanguageModel
from services.rag.retrieval.fusion import fuse
from services.rag.tools import registry
from services.rag.tools.understanding import match_question

# Whoever asks has this site; documents of another one are not theirs.
SITE = "home"
NOW = datetime(2026, 3, 18, 10, tzinfo=UTC)
Ask = Callable[[OwnQuestion], tuple[AnswerResult, Sequence[str]]]


@dataclass
class NotingTools:
    """The tools of the service, which note every call and find nothing: there is no data behind them."""

    site: Site
    called: list[str] = field(default_factory=list)

    def descriptions(self) -> Sequence[ToolDescription]:
        """Return what there is."""
        return registry.list_tools().tools

    def match(self, question: str, before: Sequence[ToolCall] = ()) -> Sequence[ProposedCall]:
        """Return the calls that a question asks for by its words."""
        del before
        return [ProposedCall(call.tool, call.arguments) for call in match_question(question, site=self.site, now=NOW)]

    def call(self, proposed: ProposedCall) -> ToolResult:
        """Note a call."""
        self.called.append(proposed.tool)
        return ToolResult(tool=proposed.tool, arguments=dict(proposed.arguments), found=False, text="")


def describe_site() -> Site:
    """Return the example household's site."""
    roof, battery = {"name": "roof", "peak_kw": 9}, {"name": "battery", "capacity_kwh": 9.6, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    place = {"latitude": 52.5, "longitude": 13.4}
    return parse_site({"name": SITE, "timezone": "Europe/Berlin", "location": place, "pv": [roof], "batteries": [battery]})


def search_in(corpus: Corpus, passages: Sequence[Passage], *, site: str) -> Callable[[SearchRequest], SearchReply]:
    """Return a search over passages in memory; those of another site are not there for whoever has ``site``."""

    def search(request: SearchRequest) -> SearchReply:
        ranked = fuse(corpus.find_near(request.query), corpus.find_words(request.query))
        scored = (passages[each.key].model_copy(update={"score": each.score, "dense_score": each.dense, "sparse_score": each.sparse}) for each in ranked)
        visible = [each for each in scored if each.site_id in {None, site}]
        embedder = corpus.embedder
        return SearchReply(passages=visible[: request.k], retriever="fused" if embedder else "sparse", model=embedder.model if embedder else None)

    return search


def open_asking(corpus: Corpus, passages: Sequence[Passage], *, embedder: Embedder | None, model: LanguageModel | None) -> Ask:
    """Return what answers a question of the set: the answer, and the names of the tools that were called."""
    search, site = search_in(corpus, passages, site=SITE), describe_site()

    def ask(question: OwnQuestion) -> tuple[AnswerResult, Sequence[str]]:
        tools = NotingTools(site)
        result = Answerer(search=search, tools=tools, model=model, embedder=embedder).answer(QuestionContext(question.text, NOW.date(), sites=(SITE,)))
        return result, tools.called

    return ask
