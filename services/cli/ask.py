"""``luna ask``: an answer with its sources, told while it is made."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import JsonOption, emit, out
from services.cli.storage import compose_request

if TYPE_CHECKING:
    from luna.contracts.answers import Answer, AnswerSentence, AskRequest
    from services.rag.answering.ports import Stage


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="ask")(ask)


def ask(  # noqa: PLR0913 - one per option
    question: Annotated[str, typer.Argument(help="In German or English.")],
    *,
    language: Annotated[str | None, typer.Option(help="de or en: of the answer; default: the question's.")] = None,
    site: Annotated[str | None, typer.Option(help="Whose prices, plans and forecasts are meant; default: the only one.")] = None,
    conversation: Annotated[str | None, typer.Option(help="The conversation that the question goes on from.")] = None,
    model: Annotated[bool, typer.Option(help="Whether a language model may word the answer.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Answer from documents and the site's data, with sources, or say that they do not hold it."""
    from luna.contracts.answers import AskRequest

    options: dict[str, Any] = {"language": language, "site_id": site, "conversation_id": conversation}
    answer = _answer(compose_request(AskRequest, question=question, model=model, **options), as_json=as_json)
    emit(answer.model_dump(mode="json"), as_json=as_json, show=lambda: show_sources(answer))


def _answer(request: "AskRequest", *, as_json: bool) -> "Answer":
    from luna.database import engine, migrate
    from luna.embedded import running
    from luna.queue import Client
    from luna.settings import load_settings
    from luna.timeline import SystemClock
    from services.rag.answering.process import open_parts
    from services.rag.answering.service import answer_question
    from services.rag.retrieval.search import Searcher

    settings = load_settings()
    with running(settings) as addresses:
        migrate.upgrade(addresses.database_url)
        pool, client = engine.create(addresses.database_url, application_name="luna-cli"), Client(addresses.redis_url)
        try:
            parts = open_parts(settings, pool, Searcher(settings), clock=SystemClock(), client=client)
            return answer_question(request, parts, clock=SystemClock(), listener=None if as_json else _Terminal())
        finally:
            client.close()
            pool.dispose()


class _Terminal:
    """Writes the answer as it comes."""

    def stage(self, stage: "Stage") -> None:
        """Say nothing: the answer comes soon."""

    def token(self, text: str) -> None:
        """Write the next words."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def sentence(self, sentence: "AnswerSentence") -> None:
        """Say nothing: its words are written."""

    def gave_up(self) -> bool:
        """Return that somebody reads; Ctrl-C ends the command."""
        return False


def show_sources(answer: "Answer") -> None:
    """Print what an answer rests on, below its text."""
    out.print()
    for citation in answer.citations:
        page = f", page {citation.page}" if citation.page else ""
        out.print(f"[{citation.number}] {citation.title}{page}{''.join(f' › {heading}' for heading in citation.headings)}", markup=False)
    for call in answer.tool_calls:
        for source in call.sources:
            out.print(f"- {source.what}{f', {source.period}' if source.period else ''}", markup=False)
    for passage in answer.nearest:
        out.print(f"~ {passage.title}{f', page {passage.page}' if passage.page else ''}: {' '.join(passage.text.split())[:160]}", markup=False)
    out.print(f"conversation {answer.conversation_id}", style="dim")
