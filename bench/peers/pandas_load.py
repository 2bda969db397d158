"""pandas beside Luna: the same kind of file into the same kind of table."""

import json
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

from bench.peers.install import PYTHON, is_installed

PATIENCE_S = 600


def run_pandas(url: str, path: Path, table: str) -> dict[str, float] | None:
    """Return rows per second from a CSV file into ``table``, by pandas' way of writing.

    None where it is not installed.
    """
    if not is_installed():
        return None
    address = (
        make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    )
    command = [
        str(PYTHON),
        str(Path(__file__).with_name("pandas_rows.py")),
        address,
        str(path),
        table,
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S)
    return dict(json.loads(done.stdout))
