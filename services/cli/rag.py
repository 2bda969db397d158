"""``luna rag``: what was derived from documents, and how well they are found."""

from services.cli import rag_evaluate
from services.cli.declared import build_group

app = build_group("rag", "Make what was derived from documents anew, measure how well they are found.")
rag_evaluate.register(app)
