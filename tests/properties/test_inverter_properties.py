"""Inverters under anything: whatever is asked, none carries more than it may, no energy appears,
and batteries stay within their limits.
"""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.site import Site, parse_site
from services.planner.dp.plan import balance_residual_kwh
from tests.support.suite.depth import draws

SITES = 4
wild = st.one_of(st.floats(), st.floats(-0.2, 1.2), st.floats(-5, 25))


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Two batteries, one or both behind an inverter, and a roof behind one of its own."""
    power = st.floats(0, 10)
    share = st.floats(0.3, 1)
    parts = [
        {
            "name": name,
            "capacity_kwh": 10,
            "charge_limit_kw": draw(power),
            "discharge_limit_kw": draw(power),
            "charge_efficiency": draw(share),
        }
        | {
            "charge_from_grid": draw(st.booleans()),
            "discharge_to_grid": draw(st.booleans()),
            "taper_from_soc": draw(share),
            "taper_to_share": draw(share),
        }
        for name in ("one", "two")
    ]
    limit = st.floats(0.1, 8)
    inverters: list[dict[str, Any]] = [
        {"name": "first", "ac_limit_kw": draw(limit), "pv": ["roof"], "batteries": ["one"]},
        {"name": "second", "ac_limit_kw": draw(limit), "batteries": ["two"]},
        {"name": "third", "ac_limit_kw": draw(limit), "pv": ["barn"]},
    ]
    roofs = [
        {"name": name, "peak_kw": draw(st.floats(0.5, 9)), "curtailable": draw(st.booleans())}
        for name in ("roof", "barn", "garage")
    ]
    grid = {"import_limit_kw": draw(st.floats(0.1, 20)), "export_limit_kw": draw(st.floats(0, 20))}
    described = {
        "name": "home",
        "timezone": "UTC",
        "grid": grid,
        "pv": roofs,
        "batteries": parts,
        "inverters": inverters,
    }
    return parse_site(described)


def set_points() -> st.SearchStrategy[SetPoint]:
    shape = (2, SITES)
    levels = {
        name: hnp.arrays(np.float64, shape, elements=wild)
        for name in ("power_kw", "target_soc", "floor_soc", "ceiling_soc", "spill_soc")
    }
    modes = st.sampled_from([int(mode) for mode in Mode])
    rules = st.sampled_from([0, 1, 2])
    curtailment = hnp.arrays(np.int8, (SITES,), elements=rules)
    return st.builds(
        SetPoint,
        mode=hnp.arrays(np.int8, shape, elements=modes),
        curtailment=curtailment,
        pv_limit_kw=hnp.arrays(np.float64, (SITES,), elements=wild),
        **levels,
    )


@settings(max_examples=draws(40), deadline=None)
@given(sites(), set_points(), st.data())
def test_no_inverter_carries_more_than_it_may_and_energy_adds_up(
    site: Site, asked: SetPoint, data: st.DataObject
) -> None:
    limits = SiteLimits.of(site)
    stored = 10 * data.draw(hnp.arrays(np.float64, (2, SITES), elements=st.floats(0, 1)))
    load, pv = (
        data.draw(hnp.arrays(np.float64, (SITES,), elements=st.floats(0, 30))) for _ in range(2)
    )
    flows = simulate_slot(
        clamp(asked, stored, limits), stored, SlotActuals(load, pv, 1.0), limits=limits
    )
    assert balance_residual_kwh(flows, load, pv).max() <= 1e-9
    assert (flows.curtailed_kwh >= -1e-9).all()
    assert ((flows.stored_kwh >= -1e-9) & (flows.stored_kwh <= 10 + 1e-9)).all()
    peak = {array.name: array.peak_kw / sum(each.peak_kw for each in site.pv) for array in site.pv}
    carries = np.array([[inverter.ac_limit_kw] for inverter in site.inverters[:2]])
    # What a battery gives passes its inverter; what it takes beyond that is its own sun.
    assert (flows.discharge_kwh <= carries + 1e-9).all()
    assert (flows.charge_kwh <= carries + np.array([[peak["roof"]], [0.0]]) * pv + 1e-9).all()
    # What is sold passes inverters, but for the garage.
    sold = carries.sum() + site.inverters[2].ac_limit_kw + peak["garage"] * pv
    assert (flows.export_kwh <= sold + 1e-9).all()
