"""A new kind of device: a dehumidifier that keeps a room's air within a band, is switched, and has
a meter of its own.
"""

from pathlib import Path

from alembic.script import ScriptDirectory

from tests.changes.change import ROOT, Change, Edit

HEAD = ScriptDirectory(str(ROOT / "luna/platform/database/migrations")).get_current_head()
FOLDER = Path(__file__).parent / "dehumidifier"
FILES = {
    "luna/energy/devices/dehumidifier.py": "device.py",
    "luna/words/catalogue/en/device_dehumidifier.ftl": "en.ftl",
    "luna/words/catalogue/de/device_dehumidifier.ftl": "de.ftl",
    "services/planner/devices/dehumidifier.py": "planned.py",
    "luna/platform/database/migrations/versions/r9999_dehumidifier_meter.py": "revision.py",
}


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


CHANGE = Change(
    "kind of device",
    tuple(Edit(path, _read(name).replace("HEAD", str(HEAD))) for path, name in FILES.items()),
    _read("proof.py"),
)
