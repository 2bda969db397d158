"""What inverters let through, by numbers derived by hand.

One hour, a roof of 8 kW, a battery of 10 kWh that holds 5, 6 kW either way without losses, behind a
hybrid inverter of 4 kW unless said otherwise.
"""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.physics.inverters import InverterLimits
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Curtailment, Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.site import Site, parse_site
from tests.support.suite.tables import each_row

BATTERY = {
    "capacity_kwh": 10,
    "charge_limit_kw": 6,
    "discharge_limit_kw": 6,
    "charge_efficiency": 1.0,
    "discharge_efficiency": 1.0,
}
HYBRID = {"name": "hybrid", "ac_limit_kw": 4, "pv": ["roof"], "batteries": ["battery"]}


def describe(
    *inverters: dict[str, Any],
    pv: list[dict[str, Any]] | None = None,
    battery: dict[str, Any] | None = None,
    **grid: float,
) -> Site:
    return parse_site(
        {
            "name": "home",
            "timezone": "Europe/Berlin",
            "pv": pv or [{"name": "roof", "peak_kw": 8}],
            "batteries": [BATTERY | (battery or {})],
            "inverters": list(inverters or [HYBRID]),
            "grid": grid,
        }
    )


def run(
    mode: Mode,
    *,
    load: float,
    pv: float,
    site: Site | None = None,
    spill: float = 1.0,
    curtailment: int = 0,
    pv_limit: float = np.inf,
) -> Flows:
    limits = SiteLimits.of(site or describe())
    one = np.ones((1, 1))
    target = one * (0.0 if mode == Mode.EXPORT else 1.0)
    asked = SetPoint(
        one.astype(np.int8) * mode,
        one * 9,
        target,
        one * 0,
        one,
        one * spill,
        np.array([curtailment], dtype=np.int8),
        np.array([pv_limit]),
    )
    stored = np.array([[5.0]])
    return simulate_slot(
        clamp(asked, stored, limits),
        stored,
        SlotActuals(np.array([load]), np.array([pv]), 1.0),
        limits=limits,
    )


def read(flows: Flows) -> dict[str, float]:
    return {
        field.name.removesuffix("_kwh"): float(getattr(flows, field.name).sum())
        for field in fields(flows)
        if field.name != "stored_kwh"
    }


def expect(**kwh: float) -> Any:
    nothing = dict.fromkeys(("charge", "discharge", "import", "export", "curtailed", "excess"), 0.0)
    return pytest.approx(nothing | kwh, abs=1e-9)


@each_row(
    ("mode", "load", "pv", "flows"),
    [
        # 7 of sun: 3 beyond the inverter; the house takes 1 of the 4 that pass.
        (Mode.SELF_CONSUMPTION, 1, 7, expect(charge=5, export=1, curtailed=0)),
        # In these modes it stores no surplus but what would be lost.
        (Mode.HOLD, 1, 7, expect(charge=3, export=3)),
        (Mode.SUPPLY, 1, 7, expect(charge=3, export=3)),
        # 1 of the inverter's 4 is left beside 3 of sun.
        (Mode.SELF_CONSUMPTION, 6, 3, expect(discharge=1, **{"import": 2})),
        (Mode.EXPORT, 0, 3, expect(discharge=1, export=4)),
        (Mode.EXPORT, 0, 0, expect(discharge=4, export=4)),
        # Full sun: nothing of the battery passes beside it, and 1 beyond goes into it.
        (Mode.EXPORT, 0, 5, expect(charge=1, export=4)),
        # At night 4 come in; beside 1 of sun 5.
        (Mode.CHARGE, 0, 0, expect(charge=4, **{"import": 4})),
        (Mode.CHARGE, 0, 1, expect(charge=5, **{"import": 4})),
    ],
    ids=[
        "surplus",
        "hold",
        "supply",
        "deficit",
        "export beside sun",
        "export at night",
        "export in full sun",
        "charge at night",
        "charge beside sun",
    ],
)
def test_pv_and_battery_share_what_passes(
    mode: Mode, load: float, pv: float, flows: object
) -> None:
    assert read(run(mode, load=load, pv=pv)) == flows


def test_what_may_not_be_stored_beyond_the_inverter_is_lost() -> None:
    # Room up to 60 % takes 1 of the 3.
    assert read(run(Mode.HOLD, load=1, pv=7, spill=0.6)) == expect(charge=1, export=3, curtailed=2)


def test_pv_that_is_held_back_is_held_back_on_both_sides() -> None:
    # Half of the 4 that pass, so half of the 3 beyond as well.
    assert read(run(Mode.HOLD, load=1, pv=7, pv_limit=2.0)) == expect(
        charge=1.5, export=1, curtailed=3.5
    )
    assert read(run(Mode.HOLD, load=1, pv=7, curtailment=Curtailment.ALL)) == expect(
        curtailed=7, **{"import": 1}
    )


def test_pv_alone_is_cut_at_its_inverter() -> None:
    plain = {"name": "plain", "ac_limit_kw": 3, "pv": ["roof"]}
    assert read(run(Mode.HOLD, load=1, pv=7, site=describe(plain))) == expect(export=2, curtailed=4)


def test_other_pv_passes_beside() -> None:
    # 8 on two equal roofs: 4 each; the hybrid inverter lets 2 pass, so 2 go into the battery.
    pv = [{"name": "roof", "peak_kw": 4}, {"name": "garage", "peak_kw": 4}]
    assert read(
        run(Mode.HOLD, load=1, pv=8, site=describe(HYBRID | {"ac_limit_kw": 2}, pv=pv))
    ) == expect(charge=2, export=5)


def test_a_battery_that_starts_at_a_least_power_leaves_what_is_less() -> None:
    assert read(
        run(Mode.HOLD, load=0, pv=4.5, site=describe(battery={"min_charge_kw": 1}))
    ) == expect(export=4, curtailed=0.5)
    assert read(
        run(Mode.HOLD, load=0, pv=5.5, site=describe(battery={"min_charge_kw": 1}))
    ) == expect(charge=1.5, export=4)


def test_a_battery_that_may_not_charge_from_the_grid_takes_its_own_sun() -> None:
    site = describe(battery={"charge_from_grid": False})
    assert read(run(Mode.CHARGE, load=6, pv=7, site=site)) == expect(charge=3, **{"import": 2})


def test_what_the_connection_does_not_take_goes_into_the_battery_too() -> None:
    assert read(run(Mode.HOLD, load=1, pv=7, site=describe(export_limit_kw=1))) == expect(
        charge=5, export=1
    )


def test_held_back_pv_is_let_through_as_far_as_its_inverter_carries() -> None:
    # 6 are wanted, 1 may come in, PV is off: 4 pass, first the battery's.
    site = describe(import_limit_kw=1)
    assert read(run(Mode.HOLD, load=6, pv=7, site=site, curtailment=Curtailment.ALL)) == expect(
        discharge=4, excess=1, curtailed=7, **{"import": 2}
    )


def test_a_site_without_inverters_has_none() -> None:
    assert SiteLimits.of(parse_site({"name": "home", "timezone": "UTC"})).inverters is None


def test_held_back_pv_of_another_roof_is_let_through_beside_a_battery_that_fills_its_inverter() -> (
    None
):
    # 8 on two roofs, 1 of it behind the inverter; 12 are wanted, 1 may come in. The battery fills
    # the inverter with 4, so the garage gives its 7.
    pv = [{"name": "roof", "peak_kw": 1}, {"name": "garage", "peak_kw": 7}]
    flows = run(
        Mode.HOLD,
        load=12,
        pv=8,
        site=describe(pv=pv, import_limit_kw=1),
        curtailment=Curtailment.ALL,
    )
    assert read(flows) == expect(discharge=4, curtailed=1, **{"import": 1})


@pytest.mark.parametrize(
    ("mode", "load", "flows"),
    [
        # Half of the sun is held back: 2 pass, 1.5 stand beyond. Beside the 2 the inverter carries
        # 2 of the battery.
        (Mode.SELF_CONSUMPTION, 6, expect(discharge=2, curtailed=5, **{"import": 2})),
        # What sells takes the sun on its own side first, and then gives nothing.
        (Mode.EXPORT, 1, expect(charge=1.5, export=1, curtailed=3.5)),
    ],
    ids=["serving", "selling"],
)
def test_a_battery_takes_no_sun_of_its_own_while_it_gives(
    mode: Mode, load: float, flows: object
) -> None:
    assert read(run(mode, load=load, pv=7, pv_limit=2.0)) == flows


def test_a_battery_seen_alone_keeps_its_inverter_and_the_others_cut() -> None:
    site = describe(HYBRID)
    inverters = InverterLimits.of(site)
    assert inverters is not None
    # Of what counts as PV, half is the roof's.
    alone = inverters.only(0, np.array([0.5, 1.0]))
    assert alone.convert(np.array([14.0, 7.0]), 1.0).direct_kwh.tolist() == [[3.0, 3.0]]
    assert InverterLimits.of(site.model_copy(update={"batteries": []})).alone_limit_kw.tolist() == [
        [4.0]
    ]  # type: ignore[union-attr]


@each_row(
    ("inverters", "says"),
    [
        ([HYBRID | {"pv": ["barn"]}], "hybrid names 'barn', which is not under pv"),
        (
            [HYBRID | {"batteries": ["cellar"]}],
            "hybrid names 'cellar', which is not under batteries",
        ),
        ([HYBRID, HYBRID | {"name": "second"}], "is connected to two of them"),
        ([HYBRID | {"pv": ["roof", "roof"]}], "is connected to two of them"),
        ([{"ac_limit_kw": 4}], "has neither pv nor batteries"),
        (
            [HYBRID, {"name": "hybrid", "ac_limit_kw": 4, "pv": ["roof"]}],
            "the name 'hybrid' is used twice",
        ),
        ([HYBRID | {"ac_limit_kw": 0}], "greater than 0"),
        ([HYBRID | {"batteries": ["battery", "second"]}], "at most 1"),
    ],
    ids=[
        "no such roof",
        "no such battery",
        "behind two",
        "named twice",
        "of nothing",
        "one name for two",
        "carries nothing",
        "two batteries",
    ],
)
def test_wrong_inverters_are_refused(inverters: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        describe(*inverters)
