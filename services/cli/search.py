"""``luna search``: passages of documents."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from luna.platform.capabilities.search import search_passages
from services.cli.console import JsonOption, emit, out
from services.cli.declared import open_desk
from services.cli.storage import compose_request

if TYPE_CHECKING:
    from luna.contracts.answers import Citation
    from luna.contracts.search import Passage, SearchReply


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="search")(search)


def search(  # noqa: PLR0913 - one per option
    query: Annotated[str, typer.Argument(help="What to look for, in German or English.")],
    *,
    k: Annotated[int, typer.Option(min=1, max=100, help="How many passages at most.")] = 10,
    retriever: Annotated[str, typer.Option(help="dense, sparse or fused.")] = "fused",
    kind: Annotated[str | None, typer.Option(help="contract, tariff, manual, regulation, subsidy or other.")] = None,
    language: Annotated[str | None, typer.Option(help="de or en: of the documents.")] = None,
    site: Annotated[str | None, typer.Option(help="Documents of this site, and everybody's.")] = None,
    from_day: Annotated[str | None, typer.Option("--from", help="Documents dated this day or later.")] = None,
    to_day: Annotated[str | None, typer.Option("--to", help="Documents dated this day or before.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find passages: each with its document, page and score."""
    from luna.contracts.search import SearchQuestion

    named: dict[str, Any] = {"kind": kind, "language": language, "site_id": site, "from_day": from_day, "to_day": to_day}
    wanted = {name: value for name, value in named.items() if value is not None}
    question = compose_request(SearchQuestion, query=query, k=k, retriever=retriever, filter=wanted)
    with open_desk() as desk:
        reply = desk.ask(search_passages, {"question": question})
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show(reply))


def _show(reply: "SearchReply") -> None:
    if not reply.passages:
        out.print("Nothing was found.")
    for number, passage in enumerate(reply.passages, 1):
        out.print(f"{number}. {say_place(passage)}  {passage.score:.2f}", markup=False)
        out.print(f"   {' '.join(passage.text.split())[:300]}", markup=False)


def say_place(passage: "Passage | Citation") -> str:
    """Return where a passage stands: document, page, headings; one that is called as the document is said once."""
    page = f", page {passage.page}" if passage.page else ""
    return f"{passage.title}{page}{''.join(f' › {heading}' for heading in passage.headings if heading != passage.title)}"
