"""Run in the peers' environment: a CSV file of quarter-hours into a table by pandas.

Prints rows per second by pandas' own ways of writing.

python pandas_rows.py URL FILE TABLE
"""

import json
import sys
import time
from typing import Any

import pandas as pd
from sqlalchemy import create_engine

# PostgreSQL takes 65,535 parameters in a statement; with seven columns a thousand rows stay far
# below.
WAYS: dict[str, dict[str, Any]] = {"default": {}, "multi": {"method": "multi", "chunksize": 1000}}


def load(url: str, path: str, table: str, *, way: dict[str, Any], site_key: int) -> float:
    """Return rows per second from the file to the committed rows."""
    engine = create_engine(url)
    began = time.perf_counter()
    rows = pd.read_csv(path, parse_dates=["slot_start"])
    rows.insert(0, "site_key", site_key)
    rows.to_sql(table, engine, if_exists="append", index=False, **way)
    seconds = time.perf_counter() - began
    engine.dispose()
    return len(rows) / seconds


if __name__ == "__main__":
    URL, FILE, TABLE = sys.argv[1:]
    print(
        json.dumps(
            {
                name: load(URL, FILE, TABLE, way=way, site_key=place)
                for place, (name, way) in enumerate(WAYS.items())
            }
        )
    )
