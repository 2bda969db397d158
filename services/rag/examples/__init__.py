"""Documents that ship with Luna: those of an example household, and Luna's own guide."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from luna.contracts.documents import DocumentKind, DocumentLanguage

FOLDER = Path(__file__).parent
# In an installed Luna the guide lies here; in a checkout where its readers look for it.
_GUIDES = (FOLDER / "guide", FOLDER.parents[2] / "docs" / "guide")
_LANGUAGES: tuple[DocumentLanguage, ...] = ("de", "en")


@dataclass(frozen=True, slots=True)
class Example:
    """A document shipped with Luna: its place, and the description used to add it.

    ``name`` is unlike that of every other one.
    """

    path: Path
    name: str
    title: str
    kind: DocumentKind
    language: DocumentLanguage
    dated: date | None = None
    site_id: str | None = None


def list_examples() -> tuple[Example, ...]:
    """Return the documents of the example household, then the guide's pages.

    The pages are in both languages.
    """
    folder = next((each for each in _GUIDES if (each / "en").is_dir()), _GUIDES[0])
    guide = []
    for language in _LANGUAGES:
        for path in sorted((folder / language).glob("*.md")):
            title = path.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("#").strip()
            guide.append(
                Example(path, f"guide/{language}/{path.name}", f"Luna: {title}", "other", language)
            )
    return (*read_manifest(FOLDER / "manifest.json", FOLDER / "documents"), *guide)


def read_manifest(manifest: Path, folder: Path) -> tuple[Example, ...]:
    """Return the documents that a manifest names, which lie in a folder."""
    rows = json.loads(manifest.read_text(encoding="utf-8"))
    return tuple(
        Example(**row | {"path": folder / row["name"], "dated": date.fromisoformat(row["dated"])})
        for row in rows
    )
