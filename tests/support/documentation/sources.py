"""The product's source files as text, for tests that look through them."""

from functools import cache

from tests.support.documentation.pages import ROOT


@cache
def read_sources(*folders: str) -> dict[str, str]:
    """Return the text of every source file in some folders, by its path in the repository."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
