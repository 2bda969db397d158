"""Derives the typical day-ahead prices that ship with Luna, by month and hour of the day, from
recorded prices of two whole years.

Run as ``python -m bench.typical_prices``: it reads the Dutch prices that the demo loads and writes
``luna/energy/economics/typical_price_table.py``.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from luna.energy.economics import typical_price_table
from luna.energy.timeline import FloatArray, Timeline, local_offsets
from luna.platform.packages import fetch_package
from luna.platform.settings import load_settings
from services.ingest.demo_data.sources import EV2GYM, ZONE, read_prices

YEARS = (2023, 2024)
HOUR = timedelta(hours=1)
PACKAGE = f"{EV2GYM.name} {EV2GYM.version}"
ABOUT = f'''"""Typical day-ahead prices of markets, EUR/MWh.

A row for each month: the mean of each hour of the local clock.

Source: day-ahead prices of the Netherlands of 2023 and 2024, ENTSO-E Transparency Platform, from
the package {PACKAGE}. Licence: ENTSO-E Transparency Platform data; package MIT. Derived by
``python -m bench.typical_prices``.
"""
'''
TABLE = Path(typical_price_table.__file__)


def average_by_month_and_hour(hours: Timeline, price: FloatArray) -> list[list[float]]:
    """Return the mean price of each hour of the local clock, one row per month, EUR/MWh."""
    local = hours.starts + local_offsets(hours.starts, ZONE)
    month = local.astype("datetime64[M]").astype(int) % 12
    hour = (local - local.astype("datetime64[D]")).astype("timedelta64[h]").astype(int)
    rows = []
    for each in range(12):
        means = [price[(month == each) & (hour == clock)].mean() for clock in range(24)]
        rows.append([1000.0 * float(mean) for mean in means])
    return rows


def derive(wheel: Path) -> list[list[float]]:
    """Return the typical prices of a package's recorded ones."""
    start = datetime(YEARS[0], 1, 1, tzinfo=ZONE).astimezone(UTC)
    end = datetime(YEARS[-1] + 1, 1, 1, tzinfo=ZONE).astimezone(UTC)
    hours = Timeline(start, HOUR, (end - start) // HOUR)
    price, _ = read_prices(wheel, hours)
    return average_by_month_and_hour(hours, price)


def write_table(rows: list[list[float]]) -> str:
    """Return the module's text, with one line for each month."""
    months = [" ".join(f"{price:.1f}" for price in row) for row in rows]
    lines = "".join(f'    "{month}",\n' for month in months)
    return f"{ABOUT}\nNETHERLANDS = (\n{lines})\n"


def main() -> None:
    """Write the typical prices anew."""
    wheel = fetch_package(EV2GYM, load_settings().cache)
    TABLE.write_text(write_table(derive(wheel)), encoding="utf-8")


if __name__ == "__main__":
    main()
