"""mlforecast beside Aurora: hands it the same series and origins as files, reads back what it
forecast and how long it took.
"""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.peers.install import PYTHON, is_installed
from luna.energy.observations import Observations
from luna.energy.outlook import SHARES, Quantiles
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from services.forecaster.forecaster import HORIZON_SLOTS, Batch

PATIENCE_S = 1800
MEDIAN = [*SHARES].index("p50")
SERIES = ("load_kwh", "pv_kwh")


@dataclass(frozen=True, slots=True)
class PeerForecasts:
    """A peer's forecasts in its two ways, each judged like any version, and its seconds for both
    series; one issue is one of all that it did in one call.
    """

    version: str
    batches: dict[str, Batch]
    train_seconds: float
    issue_milliseconds: float


def run_mlforecast(
    history: Observations, site: Site, instants: Sequence[datetime]
) -> PeerForecasts | None:
    """Return what mlforecast made of a site's series at the instants, having learned all before the
    first; None where it is not installed.
    """
    if not is_installed():
        return None
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        for name in SERIES:
            write_case(
                Path(folder) / f"series_{name}.npz", history, name, site=site, instants=instants
            )
        command = [str(PYTHON), str(Path(__file__).with_name("mlforecast_cases.py")), folder]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PATIENCE_S
        )
        told = json.loads(done.stdout.splitlines()[-1])
        found = {name: dict(np.load(Path(folder) / f"forecast_{name}.npz")) for name in SERIES}
    seconds = told["seconds"].values()
    batches = {
        "mlforecast_recursive": _batch(
            instants, [Quantiles.exact(np.maximum(found[name]["median"], 0)) for name in SERIES]
        ),
        "mlforecast_quantiles": _batch(
            instants, [order_quantiles(found[name]["quantiles"]) for name in SERIES]
        ),
    }
    issue_seconds = sum(each["issue_seconds"] for each in seconds)
    return PeerForecasts(
        told["version"],
        batches,
        sum(each["train_seconds"] for each in seconds),
        1000 * issue_seconds / len(instants),
    )


def write_case(
    path: Path, history: Observations, name: str, *, site: Site, instants: Sequence[datetime]
) -> None:
    """Write one series on a gapless grid, and what is asked about it."""
    start = history.starts[0].astype("datetime64[s]").item().replace(tzinfo=UTC)
    learned = (floor_to(instants[0], SLOT) - start) // SLOT
    grid = history.on(Timeline(start, SLOT, learned + (instants[-1] - instants[0]) // SLOT))
    origins = np.array([learned + (instant - instants[0]) // SLOT for instant in instants])
    asked = {
        "origins": origins,
        "slots": HORIZON_SLOTS,
        "levels": np.array([*SHARES.values()]),
        "zone": site.timezone,
    }
    np.savez(path, starts=grid.starts, values=getattr(grid, name), learned=learned, **asked)


def order_quantiles(quantiles: FloatArray) -> Quantiles:
    """Return quantiles, shape ``(levels, origins, slots)``, not negative and in order.

    The median stands for the mean that the peer does not tell.
    """
    ordered = np.sort(np.maximum(quantiles, 0), axis=0)
    return Quantiles(ordered[MEDIAN], *ordered)


def _batch(instants: Sequence[datetime], series: Sequence[Quantiles]) -> Batch:
    load, pv = series
    return Batch("mlforecast", "full", list(instants), load, pv)
