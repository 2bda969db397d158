"""The safety layer under anything: whatever is asked, whatever load and PV do, no limit is left and
no energy appears.
"""

from dataclasses import dataclass, fields
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from luna.energy.devices.battery import Battery
from luna.energy.physics.limits import BatteryLimits, SiteLimits, charge_limit_kw
from luna.energy.physics.mode import Curtailment, Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import balance_residual_kwh
from tests.support.suite.depth import draws

TOLERANCE_KWH = 1e-9
moderate = settings(max_examples=draws(80), deadline=None)

shares = st.floats(0, 1)
wild = st.one_of(st.floats(), st.floats(-0.2, 1.2), st.floats(-5, 25))
energies = st.one_of(st.floats(0, 6), st.floats(0, 60))


@st.composite
def batteries(draw: st.DrawFn) -> Battery:
    charge_limit_kw = draw(st.floats(0, 12))
    return Battery(
        capacity_kwh=draw(st.floats(0.5, 40)),
        min_soc=draw(st.floats(0, 0.45)),
        max_soc=draw(st.floats(0.5, 1)),
        charge_limit_kw=charge_limit_kw,
        discharge_limit_kw=draw(st.floats(0, 12)),
        charge_efficiency=draw(st.floats(0.5, 1)),
        discharge_efficiency=draw(st.floats(0.5, 1)),
        min_charge_kw=draw(st.sampled_from([0.0, 0.0, 0.3, 1.0])) * charge_limit_kw,
        charge_from_grid=draw(st.booleans()),
        discharge_to_grid=draw(st.booleans()),
        taper_from_soc=draw(st.floats(0.5, 1)),
        taper_to_share=draw(shares),
    )


@dataclass(frozen=True)
class Course:
    """What happens to one to three sites with the same batteries over a few slots."""

    limits: SiteLimits
    asked: list[SetPoint]
    load_kwh: FloatArray
    pv_kwh: FloatArray
    start_soc: FloatArray
    hours: float

    @property
    def stored_kwh(self) -> FloatArray:
        """From the least to the most the batteries may hold."""
        battery = self.limits.batteries
        return battery.min_kwh + self.start_soc * (battery.max_kwh - battery.min_kwh)


def set_points(shape: tuple[int, int]) -> st.SearchStrategy[SetPoint]:
    known = st.sampled_from([int(mode) for mode in Mode])
    levels = {
        name: hnp.arrays(np.float64, shape, elements=wild)
        for name in ("power_kw", "target_soc", "floor_soc", "ceiling_soc", "spill_soc")
    }
    return st.builds(
        SetPoint,
        mode=hnp.arrays(
            np.int8, shape, elements=st.one_of(known, st.integers(-128, 127)), fill=known
        ),
        curtailment=hnp.arrays(
            np.int8,
            shape[1:],
            elements=st.one_of(st.sampled_from([0, 1, 2]), st.integers(-128, 127)),
        ),
        pv_limit_kw=hnp.arrays(np.float64, shape[1:], elements=wild),
        **levels,
    )


@st.composite
def courses(draw: st.DrawFn, slots: int = 6, most_batteries: int = 3) -> Course:
    parts = draw(st.lists(batteries(), min_size=1, max_size=most_batteries))
    sites = draw(st.integers(1, 3))
    shape = (len(parts), sites)
    limits = SiteLimits(
        BatteryLimits.of(parts),
        draw(hnp.arrays(np.float64, (sites,), elements=st.floats(0.1, 20))),
        draw(hnp.arrays(np.float64, (sites,), elements=st.floats(0, 20))),
        draw(hnp.arrays(np.bool_, (sites,))),
    )
    asked = draw(st.lists(set_points(shape), min_size=slots, max_size=slots))
    load, pv = (draw(hnp.arrays(np.float64, (slots, sites), elements=energies)) for _ in range(2))
    return Course(
        limits,
        asked,
        load,
        pv,
        draw(hnp.arrays(np.float64, shape, elements=shares)),
        draw(st.sampled_from([1 / 12, 0.25, 0.5, 1.0])),
    )


@dataclass(frozen=True)
class Slot:
    """One settled slot with what went in."""

    setpoint: SetPoint
    before_kwh: FloatArray
    load_kwh: FloatArray
    pv_kwh: FloatArray
    flows: Flows


def follow(course: Course, stored_kwh: FloatArray) -> list[Slot]:
    """Clamp and settle slot after slot."""

    def step(past: list[Slot], slot: int) -> list[Slot]:
        before = past[-1].flows.stored_kwh if past else stored_kwh
        safe = clamp(course.asked[slot], before, course.limits)
        load = course.load_kwh[slot]
        pv = course.pv_kwh[slot]
        return [
            *past,
            Slot(
                safe,
                before,
                load,
                pv,
                simulate_slot(
                    safe, before, SlotActuals(load, pv, course.hours), limits=course.limits
                ),
            ),
        ]

    return reduce(step, range(len(course.asked)), [])


def outside_kwh(stored_kwh: FloatArray, battery: BatteryLimits) -> FloatArray:
    return np.maximum(np.maximum(battery.min_kwh - stored_kwh, stored_kwh - battery.max_kwh), 0.0)


def assert_equal(one: Any, other: Any) -> None:
    for field in fields(one):
        np.testing.assert_array_equal(
            getattr(one, field.name), getattr(other, field.name), err_msg=field.name
        )


@moderate
@given(courses(slots=1), st.data())
def test_the_safety_layer_takes_anything_and_returns_something_safe(
    course: Course, data: st.DataObject
) -> None:
    stored = data.draw(hnp.arrays(np.float64, course.start_soc.shape, elements=wild))
    safe = clamp(course.asked[0], stored, course.limits)
    battery = course.limits.batteries
    assert np.isin(safe.mode, list(Mode)).all()
    assert np.isin(safe.curtailment, list(Curtailment)).all()
    assert (
        (safe.power_kw >= 0)
        & (safe.power_kw <= np.maximum(battery.charge_limit_kw, battery.discharge_limit_kw))
    ).all()
    assert (safe.pv_limit_kw >= 0).all()
    for level in (safe.target_soc, safe.floor_soc, safe.ceiling_soc, safe.spill_soc):
        assert ((level >= battery.min_soc) & (level <= battery.max_soc)).all()
    assert (safe.mode[~np.isfinite(stored)] == Mode.HOLD).all()


@moderate
@given(courses(slots=1), st.data())
def test_the_safety_layer_changes_nothing_the_second_time(
    course: Course, data: st.DataObject
) -> None:
    stored = data.draw(hnp.arrays(np.float64, course.start_soc.shape, elements=wild))
    once = clamp(course.asked[0], stored, course.limits)
    assert_equal(clamp(once, stored, course.limits), once)


def pick(part: Any, sites: slice) -> Any:
    """The same set-point, limits or flows for some of the sites; what all sites share stays."""
    return type(part)(
        **{field.name: getattr(part, field.name)[..., sites] for field in fields(part)}
    )


def one_site(limits: SiteLimits, site: int) -> SiteLimits:
    own = slice(site, site + 1)
    return SiteLimits(
        limits.batteries,
        limits.import_limit_kw[own],
        limits.export_limit_kw[own],
        limits.curtailable[own],
    )


@moderate
@given(courses(slots=1))
def test_many_sites_at_once_are_the_same_as_one_by_one(course: Course) -> None:
    together = follow(course, course.stored_kwh)[0]
    for site in range(course.stored_kwh.shape[1]):
        own = slice(site, site + 1)
        alone = Course(
            one_site(course.limits, site),
            [pick(course.asked[0], own)],
            course.load_kwh[:, own],
            course.pv_kwh[:, own],
            course.start_soc[:, own],
            course.hours,
        )
        slot = follow(alone, alone.stored_kwh)[0]
        assert_equal(slot.setpoint, pick(together.setpoint, own))
        assert_equal(slot.flows, pick(together.flows, own))


@moderate
@given(courses(slots=1))
def test_the_safety_layer_keeps_what_contracts_allow(course: Course) -> None:
    slot = follow(course, course.stored_kwh)[0]
    battery = course.limits.batteries
    assert not ((slot.setpoint.mode == Mode.CHARGE) & ~battery.charge_from_grid).any()
    assert not ((slot.setpoint.mode == Mode.EXPORT) & ~battery.discharge_to_grid).any()
    # Surplus alone may fill such a battery, the house alone may empty it.
    surplus = np.maximum(slot.pv_kwh - slot.load_kwh, 0)
    deficit = slot.load_kwh
    assert (
        np.where(battery.charge_from_grid, 0, slot.flows.charge_kwh).sum(axis=0)
        <= surplus + TOLERANCE_KWH
    ).all()
    assert (
        np.where(battery.discharge_to_grid, 0, slot.flows.discharge_kwh).sum(axis=0)
        <= deficit + TOLERANCE_KWH
    ).all()


@moderate
@given(courses(slots=1, most_batteries=1))
def test_a_battery_tied_to_the_house_never_meets_the_grid(course: Course) -> None:
    slot = follow(course, course.stored_kwh)[0]
    battery = course.limits.batteries
    charging = slot.flows.charge_kwh[0] > TOLERANCE_KWH
    discharging = slot.flows.discharge_kwh[0] > TOLERANCE_KWH
    assert (slot.flows.import_kwh[charging & ~battery.charge_from_grid[0]] <= TOLERANCE_KWH).all()
    assert (
        slot.flows.export_kwh[discharging & ~battery.discharge_to_grid[0]] <= TOLERANCE_KWH
    ).all()


@moderate
@given(courses())
def test_no_sequence_of_set_points_leaves_the_batteries_limits(course: Course) -> None:
    battery = course.limits.batteries
    for slot in follow(course, course.stored_kwh):
        flows = slot.flows
        assert (outside_kwh(flows.stored_kwh, battery) <= TOLERANCE_KWH).all()
        assert ((flows.charge_kwh >= 0) & (flows.discharge_kwh >= 0)).all()
        assert (
            flows.charge_kwh
            <= charge_limit_kw(slot.before_kwh, battery) * course.hours + TOLERANCE_KWH
        ).all()
        assert (
            flows.discharge_kwh <= battery.discharge_limit_kw * course.hours + TOLERANCE_KWH
        ).all()
        assert (np.minimum(flows.charge_kwh, flows.discharge_kwh) <= TOLERANCE_KWH).all()
        started = flows.charge_kwh > TOLERANCE_KWH
        assert (flows.charge_kwh >= battery.min_charge_kw * course.hours - 2 * TOLERANCE_KWH)[
            started
        ].all()


@moderate
@given(courses(), st.data())
def test_a_battery_found_outside_its_limits_never_moves_further_out(
    course: Course, data: st.DataObject
) -> None:
    battery = course.limits.batteries
    soc = data.draw(hnp.arrays(np.float64, course.start_soc.shape, elements=st.floats(-0.3, 1.5)))
    slots = follow(course, soc * battery.capacity_kwh)
    outside = np.array(
        [outside_kwh(slot.before_kwh, battery) for slot in slots]
        + [outside_kwh(slots[-1].flows.stored_kwh, battery)]
    )
    assert (np.diff(outside, axis=0) <= TOLERANCE_KWH).all()


@moderate
@given(courses())
def test_energy_neither_appears_nor_vanishes(course: Course) -> None:
    battery = course.limits.batteries
    for slot in follow(course, course.stored_kwh):
        flows = slot.flows
        assert (balance_residual_kwh(flows, slot.load_kwh, slot.pv_kwh) <= TOLERANCE_KWH).all()
        inside = (
            flows.charge_kwh * battery.charge_efficiency
            - flows.discharge_kwh / battery.discharge_efficiency
        )
        np.testing.assert_allclose(
            flows.stored_kwh - slot.before_kwh, inside, rtol=0, atol=TOLERANCE_KWH
        )


@moderate
@given(courses())
def test_the_meter_runs_one_way_and_pv_gives_what_it_has(course: Course) -> None:
    for slot in follow(course, course.stored_kwh):
        flows = slot.flows
        assert (
            (flows.import_kwh >= 0) & (flows.export_kwh >= 0) & (flows.curtailed_kwh >= 0)
        ).all()
        assert (np.minimum(flows.import_kwh, flows.export_kwh) <= TOLERANCE_KWH).all()
        assert (
            flows.curtailed_kwh
            <= np.where(course.limits.curtailable, slot.pv_kwh, 0) + TOLERANCE_KWH
        ).all()


@moderate
@given(courses())
def test_the_connection_is_overloaded_only_where_nothing_could_prevent_it(course: Course) -> None:
    battery = course.limits.batteries
    for slot in follow(course, course.stored_kwh):
        flows = slot.flows
        over_import = np.maximum(flows.import_kwh - course.limits.import_limit_kw * course.hours, 0)
        over_export = np.maximum(flows.export_kwh - course.limits.export_limit_kw * course.hours, 0)
        np.testing.assert_allclose(
            flows.excess_kwh, over_import + over_export, rtol=0, atol=2 * TOLERANCE_KWH
        )
        chargeable, dischargeable = what_batteries_bear(slot.before_kwh, battery, course.hours)
        # Too much load: PV is fully used, every battery gives all it can and takes nothing.
        drawn = flows.excess_kwh * (over_import > TOLERANCE_KWH) > TOLERANCE_KWH
        assert (flows.curtailed_kwh[drawn] <= TOLERANCE_KWH).all()
        assert (flows.discharge_kwh >= dischargeable - TOLERANCE_KWH)[:, drawn].all()
        assert (flows.charge_kwh[:, drawn] <= TOLERANCE_KWH).all()
        # Too much PV: it may not be held back, and every battery takes all it can, or what there is
        # would not start it.
        fed = flows.excess_kwh * (over_export > TOLERANCE_KWH) > TOLERANCE_KWH
        assert not (fed & course.limits.curtailable).any()
        full = flows.charge_kwh >= chargeable - TOLERANCE_KWH
        idle = np.minimum(chargeable, flows.export_kwh) <= battery.min_charge_kw * course.hours
        assert (full | idle)[:, fed].all()
        assert (flows.discharge_kwh[:, fed] <= TOLERANCE_KWH).all()


def what_batteries_bear(
    stored_kwh: FloatArray, battery: BatteryLimits, hours: float
) -> tuple[FloatArray, FloatArray]:
    """What each battery can take and give in a slot, at its terminals."""
    room = np.maximum(battery.max_kwh - stored_kwh, 0) / battery.charge_efficiency
    reserve = np.maximum(stored_kwh - battery.min_kwh, 0) * battery.discharge_efficiency
    return np.minimum(charge_limit_kw(stored_kwh, battery) * hours, room), np.minimum(
        battery.discharge_limit_kw * hours, reserve
    )


@moderate
@given(batteries(), st.lists(st.floats(-0.5, 1.5), min_size=2, max_size=20))
def test_charging_power_never_rises_with_the_state_of_charge(
    battery: Battery, socs: list[float]
) -> None:
    limits = BatteryLimits.of([battery])
    power = charge_limit_kw(np.sort(socs)[None, :] * battery.capacity_kwh, limits)[0]
    assert (np.diff(power) <= 1e-9).all()
    assert (
        (power >= battery.charge_limit_kw * battery.taper_to_share - 1e-9)
        & (power <= battery.charge_limit_kw)
    ).all()


@pytest.mark.parametrize("stored", [np.nan, np.inf, -np.inf])
@settings(max_examples=draws(40), deadline=None)
@given(course=courses())
def test_an_unknown_state_of_charge_stays_unknown_and_moves_nothing(
    course: Course, stored: float
) -> None:
    for slot in follow(course, np.full_like(course.start_soc, stored)):
        assert not slot.flows.charge_kwh.any()
        assert not slot.flows.discharge_kwh.any()
        assert (balance_residual_kwh(slot.flows, slot.load_kwh, slot.pv_kwh) <= TOLERANCE_KWH).all()
