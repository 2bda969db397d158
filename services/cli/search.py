"""``luna search``: passages of documents."""

import typer

from luna.contracts.answers import Citation
from luna.contracts.search import Passage, SearchReply
from luna.words import Numbers
from services.cli.console import out
from services.cli.declared import add_declared


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_declared(app, "search", "Find passages of documents.", shown=_show)


def _show(reply: SearchReply, _: Numbers) -> None:
    if not reply.passages:
        out.print("Nothing was found.")
    for number, passage in enumerate(reply.passages, 1):
        out.print(f"{number}. {say_place(passage)}  {passage.score:.2f}", markup=False)
        out.print(f"   {' '.join(passage.text.split())[:300]}", markup=False)


def say_place(passage: Passage | Citation) -> str:
    """Return where a passage stands: document, page, headings; one that is called as the document is said once."""
    page = f", page {passage.page}" if passage.page else ""
    return f"{passage.title}{page}{''.join(f' › {heading}' for heading in passage.headings if heading != passage.title)}"
