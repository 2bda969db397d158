"""``luna rag``: what was derived from documents, and how well they are found."""

from pathlib import Path
from typing import Annotated

import typer

from luna.platform.settings import load_settings
from services.cli.console import JsonOption, follow_progress, table, write_json
from services.cli.declared import build_group

app = build_group("rag", "Rebuild the search index and measure the search.")

RETRIEVERS = ("dense", "sparse", "fused")
HEADINGS = ("questions", "measure", *RETRIEVERS)
MEASURES = {
    "ndcg_at_10": "nDCG@10",
    "recall_at_10": "recall@10",
    "milliseconds_per_query": "ms per question",
}


@app.command()
def evaluate(
    *,
    folder: Annotated[
        Path,
        typer.Option(
            "--set",
            metavar="FOLDER",
            help="A set in BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Measure how well search finds the passages of a set."""
    from services.rag.embedding import prepare_embedder
    from services.rag.evaluation import evaluate_set

    embedder = prepare_embedder(load_settings())
    with follow_progress("evaluating", quiet=as_json) as progress:
        evaluation = evaluate_set(folder, embedder, progress=progress)
    if as_json:
        write_json(evaluation)
        return
    rows = []
    for measure, words in MEASURES.items():
        row = [f"all ({evaluation['queries']})", words]
        for retriever in RETRIEVERS:
            figure = evaluation[measure][retriever]
            row.append("–" if figure is None else f"{figure:.3f}")
        rows.append(row)
    table(HEADINGS, rows, words=HEADINGS[:2])
