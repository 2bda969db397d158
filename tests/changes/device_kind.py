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
KINDS = "luna/energy/devices/__init__.py"
PLANNED = "services/planner/devices/__init__.py"
LISTINGS = (
    Edit(
        KINDS,
        "from luna.energy.devices.dehumidifier import DEHUMIDIFIER, DehumidifierSensorRoles\n",
        after="from luna.energy.devices.battery import BATTERY, BatterySensorRoles",
        lists=True,
    ),
    Edit(KINDS, "    DEHUMIDIFIER,\n", after="GRID,", lists=True),
    Edit(KINDS, "    DehumidifierSensorRoles,\n", after="class DeviceSensorRoles(", lists=True),
    Edit(
        PLANNED,
        "from services.planner.devices import dehumidifier\n",
        after="from luna.energy.site import Site",
        lists=True,
    ),
    Edit(PLANNED, "    dehumidifier.PLANNED,\n", after="heat_pump.PLANNED,", lists=True),
)


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


CHANGE = Change(
    "kind of device",
    (
        *(Edit(path, _read(name).replace("HEAD", str(HEAD))) for path, name in FILES.items()),
        *LISTINGS,
    ),
    _read("proof.py"),
)
