"""The variables on the pages, held against the settings and against what tests, benches and scripts read."""

import re
from functools import cache

from luna.platform.settings import Settings
from luna.platform.settings.model import Deployment
from tests.support.documentation.pages import ROOT, Page

_VARIABLE = re.compile(r"\bLUNA_[A-Z0-9_]*[A-Z0-9]\b")
# Where variables that are no settings are read: those of tests, benches and scripts.
_READERS = ("luna/platform/clock.py", "services/cli/main.py", "bench/**/*.py", "tests/**/*.py", "infra/**/*", ".ci/*", "docker-compose*.yml")


def unknown_settings(page: Page) -> list[str]:
    """Name every variable on the page that nothing reads."""
    texts = [(span.place, span.text) for span in page.spans]
    return [f"{place} {name}" for place, text in texts for name in _VARIABLE.findall(text) if name not in known_variables()]


@cache
def known_variables() -> frozenset[str]:
    """Return every variable that has a reader: settings and their files, the compose file's, those of tests, benches and scripts."""
    settings = {f"LUNA_{name.upper()}" for name in Settings.model_fields}
    compose = {name.upper() for name in Deployment.model_fields}
    return frozenset(settings | {f"{name}_FILE" for name in settings} | compose | _read_elsewhere())


def _read_elsewhere() -> set[str]:
    files = [path for pattern in _READERS for path in ROOT.glob(pattern) if path.is_file() and path.name != "test_docs.py"]
    return {name for path in files for name in _VARIABLE.findall(path.read_text(encoding="utf-8", errors="replace"))}
