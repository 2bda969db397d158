"""``luna rag``: care for the knowledge service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.console import JsonOption, emit, follow_progress, out, table

app = typer.Typer(no_args_is_help=True, help="Measure how well documents are found and questions answered.")


@app.command(name="evaluate")
def evaluate(
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--set", metavar="FOLDER", help="A set in BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv (default: Luna's own)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say how well passages are found: nDCG@10 and recall@10 by vectors, by words, by both fused."""
    from luna.settings import load_settings
    from services.rag.embedding import prepare_embedder
    from services.rag.evaluation.foreign_set import evaluate_set
    from services.rag.evaluation.own_set import evaluate_own

    embedder = prepare_embedder(load_settings())
    with follow_progress("evaluating", quiet=as_json) as progress:
        document = evaluate_own(embedder, progress=progress) if folder is None else evaluate_set(folder, embedder, progress=progress)
    emit(document, as_json=as_json, show=lambda: _show(document))
