"""Derives the typical day-ahead prices that ship with Luna, by month and hour of the day, from recorded prices of two whole years.

Run as ``python -m bench.typical_prices``: it reads the Dutch prices that the demo loads and writes ``luna/energy/economics/typical_prices.json``.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from luna.energy.economics.typical_prices import TABLE
from luna.energy.timeline import FloatArray, Timeline, local_offsets
from luna.platform.packages import fetch_package
from luna.platform.settings import load_settings
from services.ingest.demo_data.sources import EV2GYM, ZONE, read_prices

YEARS = (2023, 2024)
HOUR = timedelta(hours=1)
ABOUT = {
    "source": f"Day-ahead prices of the Netherlands, ENTSO-E Transparency Platform, from the package {EV2GYM.name} {EV2GYM.version}",
    "licence": "ENTSO-E Transparency Platform data; package MIT",
    "derived_by": "python -m bench.typical_prices: the mean of each hour of the local clock, by month",
    "years": "2023 and 2024",
    "unit": "EUR/kWh",
}


def average_by_month_and_hour(hours: Timeline, price: FloatArray) -> list[list[float]]:
    """Return the mean price of each hour of the local clock, one row per month, EUR/kWh."""
    local = hours.starts + local_offsets(hours.starts, ZONE)
    month = local.astype("datetime64[M]").astype(int) % 12
    hour = (local - local.astype("datetime64[D]")).astype("timedelta64[h]").astype(int)
    rows = []
    for each in range(12):
        means = [price[(month == each) & (hour == clock)].mean() for clock in range(24)]
        rows.append([round(float(mean), 4) for mean in means])
    return rows


def derive(wheel: Path) -> list[list[float]]:
    """Return the typical prices of a package's recorded ones."""
    start = datetime(YEARS[0], 1, 1, tzinfo=ZONE).astimezone(UTC)
    end = datetime(YEARS[-1] + 1, 1, 1, tzinfo=ZONE).astimezone(UTC)
    hours = Timeline(start, HOUR, (end - start) // HOUR)
    price, _ = read_prices(wheel, hours)
    return average_by_month_and_hour(hours, price)


def write_table(rows: list[list[float]]) -> str:
    """Return the file's text, with one line for each month."""
    head = json.dumps(ABOUT, indent=2).removesuffix("\n}")
    months = ",\n".join(f"      {json.dumps(row)}" for row in rows)
    return f'{head},\n  "markets": {{\n    "NL": [\n{months}\n    ]\n  }}\n}}\n'


def main() -> None:
    """Write the typical prices anew."""
    wheel = fetch_package(EV2GYM, load_settings().cache)
    TABLE.write_text(write_table(derive(wheel)), encoding="utf-8")


if __name__ == "__main__":
    main()
