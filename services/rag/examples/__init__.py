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
    """A shipped document: its file, and the facts that are stored with it.

    ``name`` is unique.
    """

    path: Path
    name: str
    title: str
    kind: DocumentKind
    language: DocumentLanguage
    dated: date | None = None
    site_id: str | None = None


def list_examples() -> tuple[Example, ...]:
    """Return the example household's documents, then the guide's pages in both languages."""
    installed = [guide for guide in _GUIDES if (guide / "en").is_dir()]
    folder = installed[0] if installed else _GUIDES[0]
    guide = []
    for language in _LANGUAGES:
        for path in sorted((folder / language).glob("*.md")):
            heading = path.read_text(encoding="utf-8").split("\n", 1)[0]
            title = "Luna: " + heading.lstrip("#").strip()
            name = f"guide/{language}/{path.name}"
            guide.append(Example(path, name, title, "other", language))
    return (*read_manifest(FOLDER / "manifest.json", FOLDER / "documents"), *guide)


def read_manifest(manifest: Path, folder: Path) -> tuple[Example, ...]:
    """Return the documents that a manifest names, which lie in a folder."""
    rows = json.loads(manifest.read_text(encoding="utf-8"))
    examples = []
    for row in rows:
        typed = {"path": folder / row["name"], "dated": date.fromisoformat(row["dated"])}
        examples.append(Example(**row | typed))
    return tuple(examples)
