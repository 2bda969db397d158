"""The safety layer where floats are treacherous: every combination of signs, zeros, denormals,
limits and their neighbours, infinities and NaN.

Each level of a set-point and the stored energy takes every value of the lattice, in every mode.
``clamp`` sees all combinations; ``settle`` all that ``clamp`` makes of them, with load, PV and the
rules for PV on a lattice of their own. The claims are those of ``claims.py``, with as much slack as
rounding may add.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import islice, product
from typing import Any

import numpy as np
import z3

from luna.energy.devices.battery import Battery
from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.timeline import FloatArray
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row
from tests.system.proofs.claims import CLAIMS, Action, Inputs, Slot, no_action_has_less_excess
from tests.system.proofs.proving import FLOWS
from tests.system.proofs.reals import Reals, follow_all_ways
from tests.system.proofs.terms import list_elements, to_real
from tests.system.proofs.unknowns import Situation, describe_slot, list_assumptions

TINY = 5e-324
HUGE = 1e300
LEVELS = ("power_kw", "target_soc", "floor_soc", "ceiling_soc", "spill_soc")
# What a mode follows; what it does not is tested to change nothing.
READS = {
    Mode.SELF_CONSUMPTION: ("floor_soc", "ceiling_soc", "spill_soc"),
    Mode.SAVE: ("ceiling_soc", "spill_soc"),
    Mode.SUPPLY: ("floor_soc", "spill_soc"),
    Mode.HOLD: ("spill_soc",),
    Mode.CHARGE: ("power_kw", "target_soc", "ceiling_soc", "spill_soc"),
    Mode.EXPORT: ("power_kw", "target_soc", "floor_soc", "spill_soc"),
}
PLAIN = {
    "capacity_kwh": 10,
    "charge_limit_kw": 3,
    "discharge_limit_kw": 3,
    "min_soc": 0.1,
    "max_soc": 0.9,
    "charge_efficiency": 0.9,
    "discharge_efficiency": 0.7,
}
BATTERIES = {
    "plain": PLAIN,
    "tapered": PLAIN
    | {
        "min_soc": 0.0,
        "max_soc": 1.0,
        "min_charge_kw": 1,
        "taper_from_soc": 0.7,
        "taper_to_share": 0.1,
    },
}
IMPORT_KW = 0.7
EXPORT_KW = 0.3
HOURS = 1 / 3
# Modulo rounding of the largest number in a slot: what a dozen operations add up to.
ULPS = 32
# Of the seven rules for PV and all energies a short run takes every fifth pair: each rule, with
# other energies.
EVERY = 1 if LONG else 5


def lattice(*limits: float) -> list[float]:
    """Return signs, zeros, denormals, limits with their neighbours, and what is no number."""
    near = [
        value
        for limit in limits
        for value in (np.nextafter(limit, -np.inf), limit, np.nextafter(limit, np.inf))
    ]
    return [-np.inf, -1.0, -TINY, -0.0, 0.0, TINY, *near, 0.5, 1.0, HUGE, np.inf, np.nan]


def combine(columns: Mapping[str, Sequence[float]]) -> dict[str, FloatArray]:
    """Return every combination of the columns' values."""
    grids = np.meshgrid(
        *(np.array(values, dtype=float) for values in columns.values()), indexing="ij"
    )
    return {name: grid.ravel() for name, grid in zip(columns, grids, strict=True)}


def lay_out(mode: int, columns: Mapping[str, FloatArray]) -> SetPoint:
    """Return set-points of one battery over sites side by side.

    What the mode does not read is unknown.
    """
    count = next(iter(columns.values())).size
    levels = {name: columns.get(name, np.full(count, np.nan))[None, :] for name in LEVELS}
    curtailment = columns.get("curtailment", np.zeros(count))
    pv_limit = columns.get("pv_limit_kw", np.full(count, np.inf))
    return SetPoint(
        mode=np.full((1, count), mode, dtype=np.int8),
        curtailment=curtailment.astype(np.int8),
        pv_limit_kw=pv_limit,
        **levels,
    )


def limits_of(battery: dict[str, Any], *, curtailable: bool = True) -> SiteLimits:
    return SiteLimits(
        BatteryLimits.of([Battery.model_validate(battery)]),
        np.array([IMPORT_KW]),
        np.array([EXPORT_KW]),
        np.array([curtailable]),
    )


def list_levels(mode: Mode, battery: dict[str, Any]) -> dict[str, list[float]]:
    """Return the lattice of every level that a mode reads, and that of the stored energy."""
    shares = (battery["min_soc"], battery["max_soc"])
    levels = {
        name: lattice(3.0) if name == "power_kw" else lattice(*shares) for name in READS[mode]
    }
    return levels | {"stored_kwh": lattice(*(share * battery["capacity_kwh"] for share in shares))}


@each_row("mode", list(Mode), ids=lambda mode: mode.word)
def test_a_mode_reads_no_level_but_its_own(mode: Mode) -> None:
    given = describe_slot(Situation(1, limits_pv=False))
    allowed = dict.fromkeys(("charge_from_grid", "discharge_to_grid"), np.ones((1, 1), dtype=bool))
    limits = replace(given.limits, batteries=replace(given.limits.batteries, **allowed))
    asked = replace(given.asked, mode=np.array([[mode]], dtype=np.int8))
    ways = list(
        follow_all_ways(
            lambda: Slot.of(replace(given, asked=asked, limits=limits)),
            list_assumptions(given),
            reals := Reals(),
        )
    )
    ends = [
        (
            holding,
            [to_real(each) for name in FLOWS for each in list_elements(getattr(slot.flows, name))],
        )
        for holding, slot in ways
    ]
    other = [
        (z3.Real(f"{name}_0"), z3.Real(f"another_{name}_0"))
        for name in LEVELS
        if name not in READS[mode]
    ]
    for (holding, end), (elsewhere, another) in product(ends, ends):
        told = [z3.substitute(each, *other) for each in (*elsewhere, *another)]
        same = z3.And(*(one == two for one, two in zip(end, told[len(elsewhere) :], strict=True)))
        assert reals.ask([*holding, *told[: len(elsewhere)], z3.Not(same)]).is_impossible


def slack_of(given: Inputs) -> FloatArray:
    """Return what rounding may add up to in a slot, given its largest number."""
    sizes = [
        given.load_kwh,
        given.pv_kwh,
        np.abs(given.stored_kwh[0]),
        given.limits.batteries.max_kwh[0, 0] + 0.0 * given.load_kwh,
    ]
    return ULPS * np.spacing(np.max(sizes, axis=0))


def list_images(mode: Mode, battery: dict[str, Any]) -> dict[str, list[float]]:
    """Return what ``clamp`` makes of each level's lattice, once each, having seen every combination
    of them; stored energy as it is.
    """
    columns = list_levels(mode, battery)
    every = combine({name: range(len(values)) for name, values in columns.items()})
    taken = {name: np.array(columns[name])[index.astype(int)] for name, index in every.items()}
    limits = limits_of(battery)
    stored = taken.pop("stored_kwh")[None, :]
    asked = lay_out(mode, taken)
    safe = clamp(asked, stored, limits)
    assert (safe.mode == np.where(np.isfinite(stored), mode, Mode.HOLD)).all()
    assert_same(clamp(safe, stored, limits), safe)
    images = {}
    for name in taken:
        image = np.array([clamp_level(mode, name, value, battery) for value in columns[name]])
        level = getattr(safe, name)[0]
        known = np.isfinite(stored[0])
        np.testing.assert_array_equal(
            level[known], image[every[name].astype(int)][known], err_msg=name
        )
        images[name] = sorted(set(image.tolist()))
    return images | {"stored_kwh": columns["stored_kwh"]}


def clamp_level(mode: Mode, name: str, value: float, battery: dict[str, Any]) -> float:
    safe = clamp(lay_out(mode, {name: np.array([value])}), np.array([[5.0]]), limits_of(battery))
    return float(getattr(safe, name)[0, 0])


def assert_same(one: SetPoint, other: SetPoint) -> None:
    for field in fields(SetPoint):
        np.testing.assert_array_equal(
            getattr(one, field.name), getattr(other, field.name), err_msg=field.name
        )


def list_slots(mode: Mode, battery: dict[str, Any]) -> Iterator[Inputs]:
    """Yield every slot of the lattice: all that ``clamp`` returns, under every load, PV and rule
    for PV.
    """
    columns = combine(list_images(mode, battery))
    stored = columns.pop("stored_kwh")[None, :]
    loads, suns = ([0.0, TINY, *near(limit * HOURS), 1.0, HUGE] for limit in (IMPORT_KW, EXPORT_KW))
    energies = {*product(loads, (0.0, 1.0)), *product((0.0, 1.0), suns), (HUGE, HUGE)}
    rules = [
        (True, 0, np.inf),
        (True, 1, np.inf),
        (True, 2, np.inf),
        (True, 0, 0.0),
        (True, 0, TINY),
        (True, 0, EXPORT_KW),
        (False, 0, np.inf),
    ]
    for (load, sun), (curtailable, curtailment, pv_limit) in islice(
        product(sorted(energies), rules), None, None, EVERY
    ):
        even = np.ones(stored.shape[1])
        asked = lay_out(
            mode, columns | {"curtailment": curtailment * even, "pv_limit_kw": pv_limit * even}
        )
        yield Inputs(
            asked,
            stored,
            load * even,
            sun * even,
            limits_of(battery, curtailable=curtailable),
            HOURS,
        )


def near(limit: float) -> list[float]:
    return [np.nextafter(limit, -np.inf), limit, np.nextafter(limit, np.inf)]


def list_actions(slot: Slot) -> Iterator[Action]:
    """Yield what else could be done: rest, take what PV leaves or the least, give all.

    With all of PV, or none.
    """
    none = np.zeros_like(slot.flows.charge_kwh)
    pv = slot.given.pv_kwh
    taken = np.minimum(slot.most_charge_kwh, np.maximum(pv - slot.given.load_kwh, 0.0))
    for charge, discharge in (
        (none, none),
        (taken, none),
        (none + slot.least_charge_kwh, none),
        (none, slot.most_discharge_kwh),
    ):
        yield Action(charge, discharge, 0.0 * pv)
        yield Action(charge, discharge, pv)


def holds_everywhere(truths: Sequence[FloatArray]) -> FloatArray:
    """Return for each site whether everything is true of it."""
    return np.logical_and.reduce([np.atleast_2d(truth).all(axis=0) for truth in truths])


def list_broken(given: Inputs) -> Iterator[str]:
    """Yield the name of each claim that some slot breaks."""
    slot = Slot.of(given, slack_of(given))
    known = np.isfinite(given.stored_kwh[0])
    truths = {claim.__name__: holds_everywhere(claim(slot)) for claim in CLAIMS}
    for index, action in enumerate(list_actions(slot)):
        truths[f"action {index}"] = ~holds_everywhere(action.is_possible(slot)) | holds_everywhere(
            no_action_has_less_excess(slot, action)
        )
    yield from (name for name, holds in truths.items() if not holds[known].all())
    moved = [slot.flows.charge_kwh, slot.flows.discharge_kwh]
    yield from ("unknown charge" for flow in moved if flow[:, ~known].any())
    meter = [
        slot.flows.import_kwh,
        slot.flows.export_kwh,
        slot.flows.curtailed_kwh,
        slot.flows.excess_kwh,
    ]
    yield from ("no number" for flow in (*meter, *moved) if not np.isfinite(flow).all())


@each_row("battery", BATTERIES.values(), ids=BATTERIES.keys())
@each_row("mode", list(Mode), ids=lambda mode: mode.word)
def test_no_combination_of_edges_breaks_a_claim(mode: Mode, battery: dict[str, Any]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        broken = {name for given in list_slots(mode, battery) for name in list_broken(given)}
    assert broken == set()


def test_no_other_mode_moves_energy_of_its_own_will() -> None:
    # all that fits the byte, but the six modes
    others = np.array([mode for mode in range(-128, 128) if mode not in set(Mode)], dtype=np.int8)
    even = np.ones(others.size)
    asked = replace(lay_out(Mode.HOLD, dict.fromkeys(LEVELS, even)), mode=others[None, :])
    assert (clamp(asked, 5.0 * even[None, :], limits_of(PLAIN)).mode == Mode.HOLD).all()
