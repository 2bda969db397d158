"""Outside its own declaration few files ask of which kind a device is: a file that begins to name
one is found here.

Who adds a kind reads its declaration (``luna/energy/devices``) and its words (``device_…``,
catalogue); whoever else needs to tell kinds apart takes a value of the declaration, or adds one.
``python -m tests.unit.test_device_mentions`` writes down the files of today, to be fewer than
before.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
KNOWN = ROOT / "tests" / "device_mentions.txt"
KINDS = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "heat_pump": "heat_?pump",
        "appliance": "appliance",
        "vehicle": "vehicle",
    }.items()
}
# What is frozen, and what is words alone.
LEFT_OUT = ("/migrations/", "/wording/", "/catalogue")


def list_mentions() -> list[str]:
    """Return "kind path" of each product file that names a kind of device."""
    done = subprocess.run(
        ["git", "ls-files", "luna/*.py", "services/*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [
        path
        for path in done.stdout.split()
        if not any(part in path for part in LEFT_OUT) and (ROOT / path).exists()
    ]
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in paths}
    return [
        f"{kind} {path}"
        for kind, pattern in KINDS.items()
        for path, text in texts.items()
        if pattern.search(text)
    ]


def test_no_other_file_names_a_kind_of_device() -> None:
    new = sorted(set(list_mentions()) - set(KNOWN.read_text(encoding="utf-8").splitlines()))
    assert new == [], "take a value of the declaration in luna/energy/devices instead"


if __name__ == "__main__":
    KNOWN.write_text("\n".join(list_mentions()) + "\n", encoding="utf-8")
