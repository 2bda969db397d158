"""mlforecast on forecasting cases: runs inside the peers' environment, times itself there, prints
JSON.

Run as ``.venv-peers/bin/python bench/peers/mlforecast_cases.py FOLDER``. FOLDER holds a
``series_NAME.npz`` each with ``starts``, ``values``, ``learned`` (how many slots may be learned),
``origins`` (slots), ``slots``, ``levels`` and ``zone``; beside it, ``forecast_NAME.npz`` is written
with ``quantiles``, shape ``(levels, origins, slots)``, and ``median``, shape ``(origins, slots)``.
Imports nothing of Luna.

LightGBM with its own settings, as mlforecast's documentation uses it, in both of its ways:
``median`` is a recursive model of the absolute error, fed with the last hours, days and week;
``quantiles`` are a model each, fed with lags no shorter than the horizon, for a quantile that is
fed with quantiles is none. Every origin is a series of its own that ends there, so that all of them
are forecast in one call.
"""

import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from mlforecast import MLForecast  # type: ignore[import-not-found]
from mlforecast.lag_transforms import RollingMean  # type: ignore[import-not-found]

DAY = 96
KEPT = 9 * DAY  # slots before an origin that lags and rolling means reach back to


def main(folder: Path) -> dict[str, Any]:
    """Forecast every series of the folder and return the seconds that each took to learn and to
    forecast.
    """
    warnings.filterwarnings("ignore")
    seconds = {}
    for path in sorted(folder.glob("series_*.npz")):
        case = dict(np.load(path))
        name = path.stem.removeprefix("series_")
        begun = time.perf_counter()
        models = learn(case)
        learned = time.perf_counter()
        median, quantiles = (forecast(model, case) for model in models)
        seconds[name] = {
            "train_seconds": learned - begun,
            "issue_seconds": time.perf_counter() - learned,
        }
        np.savez(folder / f"forecast_{name}.npz", median=median[0], quantiles=quantiles)
    return {"version": version("mlforecast"), "seconds": seconds}


def learn(case: dict[str, Any]) -> tuple[MLForecast, MLForecast]:
    """Return the recursive model of the median, and the direct ones of every quantile."""
    count = int(case["learned"])
    slots = int(case["slots"])
    frame = pd.DataFrame(
        {"unique_id": "site", "ds": case["starts"][:count], "y": fill(case["values"])[:count]}
    )
    fixed = {"verbosity": -1, "n_jobs": 1, "random_state": 0}
    calendar = mark_calendar(str(case["zone"]))
    recursive = MLForecast(
        models={"median": lgb.LGBMRegressor(objective="l1", **fixed)},
        freq="15min",
        lags=[1, 2, 3, 4, DAY, 2 * DAY, 7 * DAY],
        lag_transforms={1: [RollingMean(4), RollingMean(DAY)], DAY: [RollingMean(4)]},
        date_features=calendar,
    )
    direct = MLForecast(
        models={
            f"q{level}": lgb.LGBMRegressor(objective="quantile", alpha=level, **fixed)
            for level in case["levels"]
        },
        freq="15min",
        lags=[slots + back * DAY for back in range(6)],
        lag_transforms={slots: [RollingMean(4), RollingMean(DAY), RollingMean(5 * DAY)]},
        date_features=calendar,
    )
    return recursive.fit(frame), direct.fit(frame)


def forecast(model: MLForecast, case: dict[str, Any]) -> Any:
    """Return what each of a model's regressors says from every origin, shape
    ``(regressors, origins, slots)``.
    """
    starts = pd.DatetimeIndex(case["starts"])
    values = fill(case["values"])
    slots = int(case["slots"])
    known = [
        pd.DataFrame(
            {
                "unique_id": place,
                "ds": starts[origin - KEPT : origin],
                "y": values[origin - KEPT : origin],
            }
        )
        for place, origin in enumerate(case["origins"])
    ]
    found = model.predict(h=slots, new_df=pd.concat(known)).sort_values(["unique_id", "ds"])
    return np.stack([found[name].to_numpy().reshape(-1, slots) for name in model.models])


def fill(values: Any) -> Any:
    """Return values with each gap filled by the last one known, as mlforecast asks for series
    without any.
    """
    return pd.Series(values).ffill().bfill().to_numpy()


def mark_calendar(zone: str) -> list[Any]:
    """Return date features by the local clock."""

    def local(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
        return dates.tz_localize("UTC").tz_convert(zone)

    def slot_of_day(dates: pd.DatetimeIndex) -> Any:
        return local(dates).hour * 4 + local(dates).minute // 15

    def day_of_week(dates: pd.DatetimeIndex) -> Any:
        return local(dates).dayofweek

    def day_of_year(dates: pd.DatetimeIndex) -> Any:
        return local(dates).dayofyear

    return [slot_of_day, day_of_week, day_of_year]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
