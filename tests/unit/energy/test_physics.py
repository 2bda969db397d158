"""The mode table row by row, and every limit that outranks it, with numbers derived by hand.

Unless said otherwise: one hour, a battery of 10 kWh between 10 % and 90 % that holds 5 kWh, 4 kW
either way, 0.9 of what is charged arrives inside, 0.8 of what is taken out arrives outside. So it
can take min(4, (9 − 5)/0.9) = 4 kWh and give min(4, (5 − 1)·0.8) = 3.2 kWh.
"""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from luna.energy.physics.limits import BatteryLimits, SiteLimits, charge_limit_kw
from luna.energy.physics.mode import SERVES, STORES, Curtailment, Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from tests.support.planning.problems import describe_site
from tests.support.suite.tables import each_row

BATTERY: dict[str, Any] = {
    "capacity_kwh": 10,
    "min_soc": 0.1,
    "max_soc": 0.9,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
    "charge_efficiency": 0.9,
    "discharge_efficiency": 0.8,
}


def house(*batteries: dict[str, Any], **grid: Any) -> Site:
    return describe_site(
        *(BATTERY | battery for battery in batteries),
        **{"import_limit_kw": 20, "export_limit_kw": 20} | grid,
    )


def aim(
    *modes: int,
    curtailment: Curtailment = Curtailment.NONE,
    pv_limit_kw: float = np.inf,
    **bounds: float,
) -> SetPoint:
    """One site's set-point: charging aims at 90 %, exporting at 10 %, 3 kW of exchange, unless
    given.
    """
    mode = np.array(modes, dtype=np.int8).reshape(-1, 1)
    default = {"power_kw": 3.0, "floor_soc": 0.1, "ceiling_soc": 0.9, "spill_soc": 0.9}
    levels = {name: np.full(mode.shape, value) for name, value in (default | bounds).items()}
    levels.setdefault("target_soc", np.where(mode == Mode.EXPORT, 0.1, 0.9))
    return SetPoint(
        mode=mode,
        curtailment=np.array([curtailment], dtype=np.int8),
        pv_limit_kw=np.array([pv_limit_kw]),
        **levels,
    )


def run(
    site: Site,
    setpoint: SetPoint,
    *,
    load_kwh: float,
    pv_kwh: float,
    stored_kwh: list[float] | None = None,
) -> Flows:
    limits = SiteLimits.of(site)
    stored = np.array(
        [stored_kwh if stored_kwh is not None else [5.0] * len(site.batteries)], dtype=float
    ).reshape(-1, 1)
    safe = clamp(setpoint, stored, limits)
    return simulate_slot(
        safe, stored, SlotActuals(np.array([load_kwh]), np.array([pv_kwh]), 1.0), limits=limits
    )


def read(flows: Flows) -> dict[str, float]:
    """The flows of one battery and site as numbers."""
    return {field.name: float(getattr(flows, field.name).sum()) for field in fields(flows)}


def expect(**kwh: float) -> Any:
    nothing = {
        "charge": 0.0,
        "discharge": 0.0,
        "stored": 5.0,
        "import": 0.0,
        "export": 0.0,
        "curtailed": 0.0,
        "excess": 0.0,
    }
    return pytest.approx(
        {f"{name}_kwh": value for name, value in (nothing | kwh).items()}, abs=1e-9
    )


@each_row(
    ("mode", "flows"),
    [
        # surplus 3 − 1 = 2; stored inside: 2 · 0.9 = 1.8
        (Mode.SELF_CONSUMPTION, expect(charge=2, stored=6.8)),
        (Mode.SAVE, expect(charge=2, stored=6.8)),
        (Mode.SUPPLY, expect(export=2)),
        (Mode.HOLD, expect(export=2)),
        # takes 4 in all: 2 from the surplus, 2 (≤ 3) from the grid
        (Mode.CHARGE, expect(charge=4, stored=8.6, **{"import": 2})),
        # gives 3 (≤ 3.2) to the grid beside the surplus: 5 − 3/0.8
        (Mode.EXPORT, expect(discharge=3, stored=1.25, export=5)),
    ],
    ids=lambda value: getattr(value, "word", ""),
)
def test_what_each_mode_does_with_a_surplus(mode: Mode, flows: object) -> None:
    assert read(run(house({}), aim(mode), load_kwh=1, pv_kwh=3)) == flows


@each_row(
    ("mode", "flows"),
    [
        # deficit 3 − 1 = 2; taken from inside: 2 / 0.8 = 2.5
        (Mode.SELF_CONSUMPTION, expect(discharge=2, stored=2.5)),
        (Mode.SAVE, expect(**{"import": 2})),
        (Mode.SUPPLY, expect(discharge=2, stored=2.5)),
        (Mode.HOLD, expect(**{"import": 2})),
        # 3 from the grid beside the deficit: 5 + 3 · 0.9
        (Mode.CHARGE, expect(charge=3, stored=7.7, **{"import": 5})),
        # gives 3.2 in all: 2 to the house, the rest to the grid, and is empty
        (Mode.EXPORT, expect(discharge=3.2, stored=1, export=1.2)),
    ],
    ids=lambda value: getattr(value, "word", ""),
)
def test_what_each_mode_does_with_a_deficit(mode: Mode, flows: object) -> None:
    assert read(run(house({}), aim(mode), load_kwh=3, pv_kwh=1)) == flows


def test_the_table_of_modes_is_the_designs() -> None:
    assert [mode.word for mode in Mode if STORES[mode]] == ["self_consumption", "save", "charge"]
    assert [mode.word for mode in Mode if SERVES[mode]] == ["self_consumption", "supply", "export"]


@each_row(
    ("setpoint", "load_kwh", "pv_kwh", "flows"),
    [
        # (7 − 5)/0.9 = 2.222 reaches 70 %
        (
            aim(Mode.CHARGE, target_soc=0.7),
            3,
            1,
            expect(charge=2 / 0.9, stored=7, **{"import": 2 + 2 / 0.9}),
        ),
        # (5 − 3)·0.8 = 1.6 reaches 30 %, and no deficit
        (aim(Mode.EXPORT, target_soc=0.3), 1, 1, expect(discharge=1.6, stored=3, export=1.6)),
        # (5 − 4)·0.8 = 0.8 reaches the floor, 1.2 is imported
        (
            aim(Mode.SELF_CONSUMPTION, floor_soc=0.4),
            3,
            1,
            expect(discharge=0.8, stored=4, **{"import": 1.2}),
        ),
        # (6 − 5)/0.9 = 1.111 reaches the ceiling, the rest is exported
        (
            aim(Mode.SAVE, ceiling_soc=0.6),
            1,
            3,
            expect(charge=1 / 0.9, stored=6, export=2 - 1 / 0.9),
        ),
        (aim(Mode.CHARGE, power_kw=0.5), 1, 1, expect(charge=0.5, stored=5.45, **{"import": 0.5})),
        # below its target already: follows the house's surplus only
        (aim(Mode.CHARGE, target_soc=0.4), 1, 2, expect(charge=1, stored=5.9)),
    ],
    ids=[
        "charge to target",
        "export to reserve",
        "serve to floor",
        "store to ceiling",
        "power",
        "beyond the target",
    ],
)
def test_bounds_of_a_set_point_end_what_its_mode_does(
    setpoint: SetPoint, load_kwh: float, pv_kwh: float, flows: object
) -> None:
    assert read(run(house({}), setpoint, load_kwh=load_kwh, pv_kwh=pv_kwh)) == flows


@pytest.mark.parametrize(
    ("setpoint", "load_kwh", "pv_kwh", "flows"),
    [
        # ceiling 50 %, target 90 %: the battery takes 4, of which 2 come from the roof
        (aim(Mode.CHARGE, ceiling_soc=0.5), 1, 3, expect(charge=4, stored=8.6, **{"import": 2})),
        # floor 50 %, target 10 %: the battery gives 3.2, of which 2 stay in the house
        (aim(Mode.EXPORT, floor_soc=0.5), 3, 1, expect(discharge=3.2, stored=1, export=1.2)),
    ],
    ids=["charging", "exporting"],
)
def test_the_meter_never_runs_both_ways(
    setpoint: SetPoint, load_kwh: float, pv_kwh: float, flows: object
) -> None:
    assert read(run(house({}), setpoint, load_kwh=load_kwh, pv_kwh=pv_kwh)) == flows


@each_row(
    ("site", "setpoint", "stored_kwh", "flows"),
    [
        # surplus 2, the connection takes 0.5: 1.5 is stored, inside 1.35
        ({}, aim(Mode.HOLD), 5, expect(charge=1.5, stored=6.35, export=0.5)),
        ({}, aim(Mode.HOLD, spill_soc=0.1), 5, expect(export=0.5, curtailed=1.5)),
        ({}, aim(Mode.HOLD), 9, expect(stored=9, export=0.5, curtailed=1.5)),
        (
            {"curtailable": False},
            aim(Mode.HOLD, spill_soc=0.1),
            5,
            expect(charge=1.5, stored=6.35, export=0.5),
        ),
        ({"curtailable": False}, aim(Mode.HOLD), 9, expect(stored=9, export=2, excess=1.5)),
    ],
    ids=[
        "stored",
        "not worth storing",
        "full",
        "may not be held back",
        "may not be held back, full",
    ],
)
def test_surplus_that_the_connection_cannot_take(
    site: dict[str, Any], setpoint: SetPoint, stored_kwh: float, flows: object
) -> None:
    assert (
        read(
            run(
                house({}, export_limit_kw=0.5, **site),
                setpoint,
                load_kwh=1,
                pv_kwh=3,
                stored_kwh=[stored_kwh],
            )
        )
        == flows
    )


@pytest.mark.parametrize("mode", [Mode.SAVE, Mode.HOLD, Mode.CHARGE])
def test_a_battery_serves_what_the_connection_cannot_carry(mode: Mode) -> None:
    # deficit 2, limit 0.5: the battery gives 1.5, inside 1.875
    flows = run(house({}, import_limit_kw=0.5), aim(mode), load_kwh=3, pv_kwh=1)
    assert read(flows) == expect(discharge=1.5, stored=3.125, **{"import": 0.5})


def test_load_beyond_connection_and_battery_is_named_as_excess() -> None:
    # deficit 6, battery 3.2, connection 0.5
    flows = run(house({}, import_limit_kw=0.5), aim(Mode.HOLD), load_kwh=7, pv_kwh=1)
    assert read(flows) == expect(discharge=3.2, stored=1, excess=2.3, **{"import": 2.8})


def test_charging_and_exporting_leave_room_for_the_house() -> None:
    charged = run(house({}, import_limit_kw=3), aim(Mode.CHARGE), load_kwh=3, pv_kwh=1)
    assert read(charged) == expect(charge=1, stored=5.9, **{"import": 3})
    sold = run(house({}, export_limit_kw=3), aim(Mode.EXPORT), load_kwh=1, pv_kwh=3)
    assert read(sold) == expect(discharge=1, stored=3.75, export=3)


@each_row(
    ("mode", "curtailment", "flows"),
    [
        (Mode.SUPPLY, Curtailment.EXPORT, expect(curtailed=2)),
        (Mode.SELF_CONSUMPTION, Curtailment.EXPORT, expect(charge=2, stored=6.8)),
        (Mode.HOLD, Curtailment.ALL, expect(curtailed=3, **{"import": 1})),
        # PV is off, so the house is served: 5 − 1/0.8
        (Mode.SELF_CONSUMPTION, Curtailment.ALL, expect(curtailed=3, discharge=1, stored=3.75)),
        (Mode.CHARGE, Curtailment.ALL, expect(curtailed=3, charge=3, stored=7.7, **{"import": 4})),
    ],
    ids=["export", "export, storing", "all", "all, serving", "all, charging"],
)
def test_how_pv_is_held_back(mode: Mode, curtailment: Curtailment, flows: object) -> None:
    assert read(run(house({}), aim(mode, curtailment=curtailment), load_kwh=1, pv_kwh=3)) == flows


@pytest.mark.parametrize(
    ("pv_limit_kw", "flows"),
    [
        (1.5, expect(export=0.5, curtailed=1.5)),
        (0.4, expect(curtailed=2.6, **{"import": 0.6})),
        (-1, expect(curtailed=3, **{"import": 1})),
    ],
    ids=["above the load", "below the load", "below nothing"],
)
def test_pv_produces_no_more_than_it_is_told(pv_limit_kw: float, flows: object) -> None:
    assert (
        read(run(house({}), aim(Mode.HOLD, pv_limit_kw=pv_limit_kw), load_kwh=1, pv_kwh=3)) == flows
    )


@pytest.mark.parametrize("pv_limit_kw", [np.nan, np.inf])
def test_an_unknown_limit_holds_no_pv_back(pv_limit_kw: float) -> None:
    assert read(
        run(house({}), aim(Mode.HOLD, pv_limit_kw=pv_limit_kw), load_kwh=1, pv_kwh=3)
    ) == expect(export=2)


def test_pv_that_may_not_be_held_back_is_exported_whatever_was_asked() -> None:
    asked = aim(Mode.HOLD, curtailment=Curtailment.ALL, pv_limit_kw=1)
    assert read(run(house({}, curtailable=False), asked, load_kwh=1, pv_kwh=3)) == expect(export=2)


def test_held_back_pv_serves_what_connection_and_battery_cannot() -> None:
    # load 3 on a connection of 2.5 with an empty battery: 0.5 of PV's 1 is let through
    flows = run(
        house({}, import_limit_kw=2.5),
        aim(Mode.HOLD, curtailment=Curtailment.ALL),
        load_kwh=3,
        pv_kwh=1,
        stored_kwh=[1],
    )
    assert read(flows) == expect(stored=1, curtailed=0.5, **{"import": 2.5})


@pytest.mark.parametrize(
    ("mode", "pv_kwh", "flows"),
    [
        (Mode.SELF_CONSUMPTION, 1.6, expect(export=0.6)),
        (Mode.SELF_CONSUMPTION, 2.0, expect(charge=1, stored=5.9)),
        (Mode.CHARGE, 1.6, expect(charge=3.6, stored=8.24, **{"import": 3})),
    ],
    ids=["too little surplus", "just enough", "topped up from the grid"],
)
def test_charging_starts_at_its_least_power(mode: Mode, pv_kwh: float, flows: object) -> None:
    assert read(run(house({"min_charge_kw": 1}), aim(mode), load_kwh=1, pv_kwh=pv_kwh)) == flows


def test_the_least_power_takes_more_than_what_would_overload_the_connection() -> None:
    # surplus 2, limit 1.5: 0.5 too much, but the battery starts at 1.2 only
    site = house({"min_charge_kw": 1.2}, export_limit_kw=1.5, curtailable=False)
    assert read(run(site, aim(Mode.HOLD), load_kwh=1, pv_kwh=3)) == expect(
        charge=1.2, stored=6.08, export=0.8
    )
    assert read(run(site, aim(Mode.EXPORT), load_kwh=1, pv_kwh=3)) == expect(
        charge=1.2, stored=6.08, export=0.8
    )


@each_row(("soc", "limit_kw"), [(0.0, 4), (0.8, 4), (0.9, 2.4), (1.0, 0.8), (1.2, 0.8)])
def test_charging_power_falls_linearly_near_full(soc: float, limit_kw: float) -> None:
    # from 80 % to full, from 4 kW to 20 % of it
    limits = BatteryLimits.of(
        house({"max_soc": 1.0, "taper_from_soc": 0.8, "taper_to_share": 0.2}).batteries
    )
    assert charge_limit_kw(np.array([[10 * soc]]), limits) == pytest.approx(limit_kw)


def test_without_a_taper_charging_power_is_constant() -> None:
    limits = BatteryLimits.of(house({}).batteries)
    assert charge_limit_kw(np.array([[0.0, 5.0, 10.0]]), limits).tolist() == [[4, 4, 4]]


@pytest.mark.parametrize(
    ("load_kwh", "pv_kwh", "charge", "discharge"),
    [
        # the first takes up to its 4, the second what is left of the surplus of 5
        (1, 6, [4, 1], [0, 0]),
        # the first gives up to its 3.2, the second what is left of the deficit of 5
        (6, 1, [0, 0], [3.2, 1.8]),
    ],
    ids=["surplus", "deficit"],
)
def test_batteries_act_in_their_order(
    load_kwh: float, pv_kwh: float, charge: list[float], discharge: list[float]
) -> None:
    flows = run(
        house({}, {}),
        aim(Mode.SELF_CONSUMPTION, Mode.SELF_CONSUMPTION),
        load_kwh=load_kwh,
        pv_kwh=pv_kwh,
    )
    np.testing.assert_allclose(flows.charge_kwh[:, 0], charge)
    np.testing.assert_allclose(flows.discharge_kwh[:, 0], discharge)
    assert float(flows.import_kwh[0]) == float(flows.export_kwh[0]) == 0


def test_what_one_battery_sells_to_another_passes_no_meter() -> None:
    flows = run(house({}, {}), aim(Mode.EXPORT, Mode.CHARGE), load_kwh=1, pv_kwh=1)
    # 3 out of one, 3 into the other
    assert flows.discharge_kwh[:, 0].tolist() == [3, 0]
    assert flows.charge_kwh[:, 0].tolist() == [0, 3]
    assert float(flows.import_kwh[0]) == float(flows.export_kwh[0]) == 0


def test_a_connection_carries_the_lesser_of_its_own_limits_and_those_of_a_slot() -> None:
    limits = SiteLimits.of(house({}, import_limit_kw=8, export_limit_kw=6)).narrow(
        np.array([9.0, 3.0]), np.array([2.0, 7.0])
    )
    assert (limits.import_limit_kw.tolist(), limits.export_limit_kw.tolist()) == (
        [8.0, 3.0],
        [2.0, 6.0],
    )


@each_row(
    ("battery", "asked", "allowed"),
    [
        ({"charge_from_grid": False}, Mode.CHARGE, Mode.SAVE),
        ({"discharge_to_grid": False}, Mode.EXPORT, Mode.SUPPLY),
        ({"charge_from_grid": False}, Mode.EXPORT, Mode.EXPORT),
        ({}, 6, Mode.HOLD),
        ({}, -128, Mode.HOLD),
    ],
    ids=[
        "no charging from the grid",
        "no selling to the grid",
        "selling stays",
        "unknown mode",
        "negative mode",
    ],
)
def test_the_safety_layer_replaces_a_mode_that_is_not_allowed(
    battery: dict[str, Any], asked: int, allowed: Mode
) -> None:
    safe = clamp(aim(asked), np.array([[5.0]]), SiteLimits.of(house(battery)))
    assert safe.mode.tolist() == [[allowed]]
    assert safe.mode.dtype == np.int8


def test_the_safety_layer_brings_every_number_within_its_bounds() -> None:
    limits = SiteLimits.of(house({}))
    wild = aim(
        Mode.CHARGE,
        power_kw=99,
        target_soc=1.7,
        floor_soc=-3,
        ceiling_soc=np.inf,
        spill_soc=-np.inf,
    )
    safe = clamp(wild, np.array([[5.0]]), limits)
    assert [
        float(getattr(safe, name)[0, 0])
        for name in ("power_kw", "target_soc", "floor_soc", "ceiling_soc", "spill_soc")
    ] == [4, 0.9, 0.1, 0.9, 0.1]


def test_unknown_numbers_move_no_energy() -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("power_kw", "target_soc", "floor_soc", "ceiling_soc", "spill_soc"), np.nan
    )
    for mode in Mode:
        assert read(run(house({}), aim(mode, **nothing), load_kwh=3, pv_kwh=1)) == expect(
            **{"import": 2}
        )
        assert read(run(house({}), aim(mode, **nothing), load_kwh=1, pv_kwh=3)) == expect(export=2)


@each_row("stored_kwh", [np.nan, np.inf, -np.inf])
@each_row(
    ("load_kwh", "pv_kwh", "imported", "exported"),
    [(3, 1, 2, 0), (1, 3, 0, 2)],
    ids=["deficit", "surplus"],
)
def test_a_battery_of_unknown_charge_moves_no_energy_and_hides_no_meter(
    stored_kwh: float, load_kwh: float, pv_kwh: float, imported: float, exported: float
) -> None:
    # limits so narrow that a known battery would have to help
    site = house({}, {}, import_limit_kw=0.5, export_limit_kw=0.5, curtailable=False)
    flows = run(
        site,
        aim(Mode.CHARGE, Mode.EXPORT),
        load_kwh=load_kwh,
        pv_kwh=pv_kwh,
        stored_kwh=[stored_kwh, stored_kwh],
    )
    assert flows.charge_kwh.tolist() == flows.discharge_kwh.tolist() == [[0], [0]]
    assert (float(flows.import_kwh[0]), float(flows.export_kwh[0]), float(flows.excess_kwh[0])) == (
        imported,
        exported,
        1.5,
    )


def test_a_site_without_a_battery_has_a_meter_all_the_same() -> None:
    flows = run(house(), aim(), load_kwh=1, pv_kwh=3)
    assert (float(flows.import_kwh[0]), float(flows.export_kwh[0])) == (0, 2)
    assert flows.charge_kwh.shape == (0, 1)


def test_a_shorter_slot_moves_less() -> None:
    limits = SiteLimits.of(house({}, import_limit_kw=5))
    stored: FloatArray = np.array([[5.0]])
    flows = simulate_slot(
        aim(Mode.CHARGE), stored, SlotActuals(np.array([0.5]), np.array([0.0]), 0.25), limits=limits
    )
    # 3 kW for a quarter of an hour; the connection carries 1.25
    assert read(flows) == expect(charge=0.75, stored=5.675, **{"import": 1.25})


def test_slots_settle_side_by_side_with_their_own_lengths() -> None:
    limits = SiteLimits.of(house({}))
    setpoint = SetPoint(
        **{
            field.name: np.repeat(getattr(aim(Mode.CHARGE), field.name), 2, axis=-1)
            for field in fields(SetPoint)
        }
    )
    hours = np.array([1.0, 0.25])
    flows = simulate_slot(
        setpoint,
        np.array([[5.0, 5.0]]),
        SlotActuals(np.zeros(2), np.zeros(2), hours),
        limits=limits,
    )
    assert flows.charge_kwh.tolist() == [[3.0, 0.75]]
