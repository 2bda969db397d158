"""``luna rag``: what was derived from documents, and how well they are found."""

from typing import Annotated

import typer

from luna.contracts.documents import ReindexReply, ReindexRequest
from services.cli import rag_evaluate
from services.cli.console import JsonOption, emit, out
from services.cli.storage import open_database, open_queue

app = typer.Typer(help="Make what was derived from documents anew, measure how well they are found.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Make what was derived from documents anew, measure how well they are found."""


@app.command()
def reindex(
    *, rechunk: Annotated[bool, typer.Option("--rechunk", help="Read and cut every document anew first.")] = False, as_json: JsonOption = False
) -> None:
    """Make the vectors of all documents by the embedding model of the settings, and the index from them; until then searches find what they found."""
    from services.cli.carry_out import carry_out

    with open_database() as pool, open_queue() as client:
        reply: ReindexReply = carry_out(pool, client, ReindexRequest(rechunk=rechunk), quiet=as_json)
    said = f"{reply.documents} documents, {reply.chunks} passages, {f'vectors by {reply.model}' if reply.model else 'no vectors: searches go by words alone'}."
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(said, markup=False))


rag_evaluate.register(app)
