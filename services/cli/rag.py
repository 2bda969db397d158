"""``luna rag``: care for the knowledge service."""

import typer

from services.cli import rag_evaluate

app = typer.Typer(no_args_is_help=True, help="Measure how well documents are found and questions answered.")


@app.callback()
def _group() -> None:
    """Measure how well documents are found and questions answered."""


rag_evaluate.register(app)
