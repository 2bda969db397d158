"""An inverter that does not exist, as the guide's page of an own device describes it: registers
without SunSpec, one power with a sign, watts for shares.
"""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs/guide/en/own-device.md"
_FILE = re.compile(r"^```\n(?P<file>profile: fictional\n.*?)^```$", re.DOTALL | re.MULTILINE)


def read_file_of_the_page() -> str:
    """Return the profile that the page has its readers write."""
    match = _FILE.search(PAGE.read_text(encoding="utf-8"))
    assert match is not None
    return match["file"]
