"""The two series that are forecast, and how each is looked at."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from luna.outlook import SHARES
from luna.timeline import FloatArray
from services.forecaster.inputs.frame import Frame, Pairs
from services.forecaster.inputs.load_signs import Absence
from services.forecaster.inputs.load_view import view_load
from services.forecaster.inputs.pool import Kernel, Pool
from services.forecaster.inputs.pv_view import view_pv
from services.forecaster.inputs.recall import fill_gaps
from services.forecaster.inputs.view import View

LOAD_KERNEL = Kernel(reach=2, half_lives=(3.0, 7.0, 20.0), other_day=0.25)
PV_KERNEL = Kernel(reach=1, half_lives=(7.0, 28.0), other_day=1.0)
SKY_FLOOR = 0.1  # share of the best clear-sky slot below which energies are pooled as they are: a ratio to little light says little


@dataclass(frozen=True, slots=True)
class Series:
    """A series by name, with what was measured of it, kWh, shape ``(slots,)``, and what it looks like from an origin."""

    name: str
    measured: Callable[[Frame], FloatArray]
    view: Callable[[Frame, Pairs], View]


def look_at_load(frame: Frame, pairs: Pairs) -> View:
    """Return the load as its origins see it, the pools of recalled days among the members."""
    absence = Absence.of(frame, pairs)
    pool = Pool.of(absence.home_kwh, pairs, LOAD_KERNEL, frame.local_slot).map(absence.left)
    return join_pool(view_load(frame, pairs), pool, LOAD_KERNEL)


def look_at_pv(frame: Frame, pairs: Pairs) -> View:
    """Return PV as its origins see it, the pools of recalled days, as shares of clear sky, among the members."""
    sky = np.maximum(frame.clear_sky_kwh, SKY_FLOOR * frame.brightest_kwh)
    by_sun = frame.first + np.arange(frame.pv_kwh.size, dtype=np.int64)
    pool = Pool.of(frame.pv_kwh / sky, pairs, PV_KERNEL, by_sun).map(sky[pairs.target])
    return join_pool(view_pv(frame, pairs), pool, PV_KERNEL)


def join_pool(view: View, pool: Pool, kernel: Kernel) -> View:
    """Return the view with a pool for each half-life among the members of every head, within the limit; where nothing is known, the mean stands in."""
    substitute = view.members["centre"]["mean"]
    names = [f"pool_{half_life:.0f}" for half_life in kernel.half_lives]
    heads = {"expected": pool.mean, **{name: pool.quantiles[:, place] for place, name in enumerate(SHARES)}}
    pools = {head: dict(zip(names, np.minimum(fill_gaps(values, substitute), view.limit_kwh), strict=True)) for head, values in heads.items()}
    return replace(view, members=view.members | {head: view.members.get(head, {}) | pooled for head, pooled in pools.items()})


LOAD = Series("load", lambda frame: frame.load_kwh, look_at_load)
PV = Series("pv", lambda frame: frame.pv_kwh, look_at_pv)
EVERY_SERIES = (LOAD, PV)
