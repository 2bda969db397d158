"""Localised texts about what became of another program's settings."""

from collections.abc import Mapping

from luna.words.language import Language
from luna.words.phrases import Phrases

NOTES = Phrases("import_notes", "note_")
GROUPS = Phrases("import_notes", "status_")


def write_import_note(code: str, figures: Mapping[str, object], language: Language) -> str:
    """Return what became of a value, and what to do about it."""
    texts = {name: _write(figure) for name, figure in figures.items()}
    return NOTES.fill(code, language, texts)


def _write(figure: object) -> str:
    return f"{figure:g}" if isinstance(figure, float) else str(figure)
