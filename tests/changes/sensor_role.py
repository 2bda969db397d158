"""A new role of a site's sensors: a pool pump with a meter of its own, which is no part of the base
load.
"""

from alembic.script import ScriptDirectory

from tests.changes.change import ROOT, Change, Edit

HEAD = ScriptDirectory(str(ROOT / "luna/platform/database/migrations")).get_current_head()

REVISION = f'''"""What a pool pump uses, in a column of its own."""

from alembic import op

revision = "9999"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE slot_observations ADD COLUMN pool_pump_kwh double precision")
    op.execute("COMMENT ON COLUMN slot_observations.pool_pump_kwh IS 'no part of load_kwh'")


def downgrade() -> None:
    op.execute("ALTER TABLE slot_observations DROP COLUMN pool_pump_kwh")
'''

# The house takes 1.2 kW from the grid, 0.8 kW of it for the pump: 0.3 and 0.2 kWh in each
# quarter-hour, so that 0.1 are the base load.
PROOF = r'''
import io
import json
import os
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from luna.platform.embedded.supervisor import running
from luna.platform.settings import load_settings
from services.cli.main import run

# As root the servers run under another account, which must be able to enter.
folder = Path(tempfile.mkdtemp(prefix="luna-role-"))
folder.chmod(0o711)
os.environ["LUNA_DATA_FOLDER"] = str(folder / "data")


def luna(*arguments):
    with redirect_stdout(io.StringIO()) as said:
        assert run([*arguments, "--json"]) == 0
    return json.loads(said.getvalue())


(folder / "site.yaml").write_text("""
name: home
timezone: Europe/Berlin
input_sensors: {total_grid_import: grid, pool_pump_consumption: pump}
""")
times = [f"2026-11-20T{hour:02}:{minute:02}:00Z" for hour in (10, 11) for minute in range(60)]
rows = [f"{time},grid,1200,W" for time in times] + [f"{time},pump,800,W" for time in times]
(folder / "readings.csv").write_text("\n".join(["instant,sensor,value,unit", *rows, ""]))
with running(load_settings()):
    luna("db", "upgrade")
    luna("site", "add", "--file", str(folder / "site.yaml"))
    luna("data", "load", str(folder / "readings.csv"), "--site", "home", "--kind", "readings")
    window = ("--site", "home", "--from", "2026-11-20T10:15:00Z", "--to", "2026-11-20T11:45:00Z")
    luna("data", "slots", *window)
    for series, kwh in (("pool_pump_kwh", 0.2), ("import_kwh", 0.3), ("load_kwh", 0.1)):
        found = luna("data", "query", *window, "--series", series)
        assert [round(row["value"], 6) for row in found["rows"]] == [kwh] * 6, found
'''

BEFORE = """heat_pump_consumption: Annotated[
Sensors, SensorRole("energy", "heat_pump_kwh", "submetered", mark=10)
] = ()"""

CHANGE = Change(
    "sensor role",
    (
        Edit(
            "luna/energy/devices/heat_pump.py",
            '    pool_pump_consumption: Annotated[Sensors, SensorRole("energy", '
            '"pool_pump_kwh", "submetered")] = ()\n',
            after=BEFORE,
        ),
        Edit("luna/platform/database/migrations/versions/r9999_pool_pump.py", REVISION),
        Edit(
            "config/site.yaml",
            "  pool_pump_consumption: sensor.pool_pump_energy\n",
            after="vehicle_consumption: sensor.wallbox_energy",
        ),
    ),
    PROOF,
)
