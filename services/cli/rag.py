"""``luna rag``: what was derived from documents, and how well they are found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from luna.platform.settings import load_settings
from services.cli.console import JsonOption, follow_progress, out, table, write_json
from services.cli.declared import build_group

app = build_group("rag", "Make what was derived from documents anew, measure how well they are found.")


RETRIEVERS = ("dense", "sparse", "fused")
HEADINGS = ("questions", "measure", *RETRIEVERS)
MEASURES = {"ndcg_at_10": "nDCG@10", "recall_at_10": "recall@10", "milliseconds_per_query": "ms per question"}
GROUPS = {"all": "all", "de": "German", "en": "English", "cross": "across languages"}


@app.command()
def evaluate(
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--set", metavar="FOLDER", help="A set in BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv (default: Luna's own)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say how well passages are found, by vectors, by words and by both; on Luna's own set also how well questions are answered."""
    from services.rag.embedding import prepare_embedder
    from services.rag.evaluation.evaluate import evaluate_own, evaluate_set
    from services.rag.language import open_language

    settings = load_settings()
    embedder = prepare_embedder(settings)
    with follow_progress("evaluating", quiet=as_json) as progress:
        document = (
            evaluate_own(embedder, model=open_language(settings), progress=progress) if folder is None else evaluate_set(folder, embedder, progress=progress)
        )
    if as_json:
        write_json(document)
        return
    groups, answers = document.get("retrieval", {"all": document}), document.get("answers", {})
    rows = []
    for name, label in GROUPS.items():
        for measure, words in MEASURES.items() if name in groups else ():
            figures = [groups[name][measure][each] for each in RETRIEVERS]
            rows.append([f"{label} ({groups[name]['queries']})", words, *("–" if figure is None else f"{figure:.3f}" for figure in figures)])
    table(HEADINGS, rows, words=HEADINGS[:2])
    for name, figure in answers.items():
        share = f"{figure['met']} of {figure['of']}" if isinstance(figure, Mapping) else str(figure)
        out.print(f"{name.replace('_', ' ')}: {share}", markup=False)
    failing = [document.get("retrieval", {}), *(figure for figure in answers.values() if isinstance(figure, Mapping))]
    for miss in (miss for measured in failing for miss in measured.get("failing", [])):
        out.print(f"  {miss['question']} {miss['text']}", markup=False, style="dim")
