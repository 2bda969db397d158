"""Compare plans of battery, car and water heater with the best known plan of each home.

The complete mixed-integer model is solved whole beside them.

Run as ``python -m bench.homes [HOMES] [VARIANT…]``; ``luna bench devices`` measures them too. The
planner keeps its own time limit, which other load on the machine eats into; ``--seconds=N`` gives
it N. ``--record`` stores better plans in ``home_plans.json``, found by the planner or by HiGHS on
the complete model in a minute for each home, or in N seconds.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bench.cases import FULL_GAP
from bench.home_cases import VARIANTS, HomeVariant, generate_homes
from bench.peers.planning import plan_devices_by_emhass, price_plan
from bench.timing import describe, processor_s
from luna.contracts.plan import PlanRequest
from luna.energy.timeline import FloatArray
from services.planner.compiled import load_kernels
from services.planner.milp.directions import (
    BinarySlots,
    FlowDirections,
    find_complementarity_violations,
    find_nonconvex_slots,
)
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver, SolverError
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem, SearchLimits
from services.planner.reply.notes import find_gap_cost

# Homes of a short run, and the variants of which a short run solves the complete model.
HOMES = 6
FULL_HOMES = 20
ROUNDS = 1
FULL_ROUNDS = 3
PLAIN_VARIANTS: tuple[HomeVariant, ...] = ("energy",)
# CBC takes half a minute for a home.
PEER_HOMES = 2
# Time limits of the complete model: as a peer, and for a record.
PLAIN_S = 30.0
LONG_S = 60.0
# The complete model is solved to within this for a record, currency: costs are stored as exactly.
EXACT = 1e-4
# Energies of devices that differ by less are the same: peers round watts.
_SAME_ENERGY_KWH = 0.05
BEST = Path(__file__).with_name("home_plans.json")
STOP_AT = SearchLimits(mip_gap=FULL_GAP, gap_cost=0.01)


@dataclass(frozen=True, slots=True)
class HomePlan:
    """A plan's objective and the proven bound below every plan's, in the site's currency.

    ``bound`` is minus infinity where nothing is proven. ``cpu_ms`` is its planning time.
    """

    cost: float
    bound: float
    cpu_ms: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Return whether no plan is cheaper, within the rounding of stored costs."""
        return self.cost - self.bound <= 2 * EXACT

    def joined(self, other: "HomePlan | None") -> "HomePlan":
        """Return the lower cost and the higher bound of both."""
        if other is None:
            return self
        return replace(self, cost=min(self.cost, other.cost), bound=max(self.bound, other.bound))


def measure(*, full: bool = False) -> dict[str, dict[str, Any]]:
    """Return the figures of every variant: of plans, the complete model, and other planners."""
    load_kernels()
    count = FULL_HOMES if full else HOMES
    rounds = FULL_ROUNDS if full else ROUNDS
    plain_variants = VARIANTS if full else PLAIN_VARIANTS
    figures: dict[str, dict[str, Any]] = {}
    for variant in VARIANTS:
        with_plain = variant in plain_variants
        figures[variant] = measure_variant(variant, count, rounds=rounds, with_plain=with_plain)
    homes = list(generate_homes("energy").values())[:PEER_HOMES]
    figures["energy"]["peers"] = compare_peers(homes)
    return figures


def measure_variant(
    variant: HomeVariant,
    count: int,
    *,
    rounds: int = ROUNDS,
    with_plain: bool = True,
    limit_s: float | None = None,
) -> dict[str, Any]:
    """Return plans' milliseconds of CPU, stated gaps, and costs above the best known.

    Args:
        variant: of the homes.
        count: homes to plan.
        rounds: plans of each home.
        with_plain: whether the complete model is solved whole as well.
        limit_s: time limit of a plan; None: the planner's own.
    """
    known = read_best().get(variant, {})
    made: dict[str, HomePlan] = {}
    plain: dict[str, HomePlan] = {}
    times = np.empty((rounds, count))
    for place, (name, document) in enumerate(list(generate_homes(variant).items())[:count]):
        problem = build_problem(PlanRequest.model_validate(document))
        for number in range(rounds):
            made[name] = plan_home(problem, limit_s=limit_s)
            times[number, place] = made[name].cpu_ms
        if with_plain:
            plain[name] = solve_plain(problem, STOP_AT, time_limit_s=PLAIN_S)
        _show(f"{variant} {name}", made[name], known.get(name), plain.get(name))
    figures = describe(times) | compare_with_best(made, known)
    if plain:
        figures["plain"] = _describe_plain(plain, known, times)
    return figures


def plan_home(problem: Problem, *, limit_s: float | None = None) -> HomePlan:
    """Return the planner's plan, with its CPU time."""
    if limit_s is not None:
        problem = replace(problem, search=replace(problem.search, time_limit_s=limit_s))
    begun_s = time.process_time()
    plan = make_plan(problem, Solver())
    taken_s = time.process_time() - begun_s
    gap_cost = find_gap_cost(plan)
    cost = plan.load_schedule.objective if plan.load_schedule else np.inf
    bound = -np.inf if gap_cost is None else cost - gap_cost
    return HomePlan(float(cost), float(bound), taken_s * 1e3)


def solve_plain(problem: Problem, search: SearchLimits, *, time_limit_s: float) -> HomePlan:
    """Solve the complete mixed-integer model by HiGHS with presolve and all of its heuristics.

    The cost is infinite where no solution is found in time.
    """
    begun_s = time.process_time()
    ways = FlowDirections.of(problem)
    choices: BinarySlots | None = find_nonconvex_slots(problem)
    cost = np.inf
    bound = -np.inf
    while choices is not None:
        built = formulate(problem, ways, choices=choices)
        try:
            solution = Solver().solve(
                built.model,
                mip_gap=search.mip_gap,
                gap_cost=search.gap_cost,
                time_limit_s=time_limit_s,
                presolve=True,
            )
        except SolverError:
            break
        # A model with fewer binaries is a relaxation: its bound holds all the same.
        bound = max(bound, solution.objective - solution.gap * abs(solution.objective))
        violations = find_complementarity_violations(problem, built.flows(solution, ways))
        if violations.any():
            choices = choices.joined(violations)
        else:
            cost = solution.objective
            choices = None
    return HomePlan(float(cost), float(bound), (time.process_time() - begun_s) * 1e3)


def compare_peers(documents: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the CPU milliseconds of other planners over the planner's, and what plans cost more.

    They are PuLP with CBC on the model written for readers, and EMHASS on the part of the homes
    that it can express.
    """
    problems = [build_problem(PlanRequest.model_validate(document)) for document in documents]
    own = [plan_home(problem) for problem in problems]
    whole_ms = np.array([plan.cpu_ms for plan in own])
    figures: dict[str, dict[str, Any]] = {}
    if find_spec("pulp"):
        cbc = [_solve_by_cbc(problem) for problem in problems]
        cbc_ms = np.array([plan.cpu_ms for plan in cbc])
        more = [ours.cost - theirs.cost for ours, theirs in zip(own, cbc, strict=True)]
        figures["pulp_cbc"] = _compare_times(cbc_ms, whole_ms) | {"luna_costs_more": max(more)}
    emhass = _compare_emhass([express_for_emhass(document) for document in documents], whole_ms)
    if emhass is not None:
        figures["emhass"] = emhass
    return figures


def _compare_times(peer_ms: FloatArray, own_ms: FloatArray) -> dict[str, Any]:
    return describe(peer_ms) | {"ratio": float(np.median(peer_ms) / np.median(own_ms))}


def _solve_by_cbc(problem: Problem) -> HomePlan:
    """Solve the model written for readers; its cost is NaN where it finds nothing in time."""
    solve_reference = import_module("tests.support.reference_model.model").solve_reference
    begun_s = processor_s()
    cost = solve_reference(problem, gap=FULL_GAP, time_limit_s=PLAIN_S)
    return HomePlan(cost, -np.inf, (processor_s() - begun_s) * 1e3)


def express_for_emhass(document: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a home that EMHASS can express, to be planned to EMHASS's gap.

    A car takes any power up to its limit: no phases, least power, price of a start or shortest run.
    The water heater has no comfort windows. EMHASS charges each session's energy within it and
    heats a day's energy exactly; the planner may charge earlier or heat more where that is cheaper.
    """
    site = document["site"]
    inexpressible = ("start_price", "min_run_minutes", "charger", "min_charge_kw")
    cars = []
    for car in site["vehicles"]:
        cars.append({name: part for name, part in car.items() if name not in inexpressible})
    loads = []
    for load in site["loads"]:
        loads.append({name: part for name, part in load.items() if name != "comfort"})
    options = document["options"] | {"mip_gap": FULL_GAP}
    return document | {"site": site | {"vehicles": cars, "loads": loads}, "options": options}


def needed_kwh(document: dict[str, Any]) -> float:
    """Return the energy that a home's cars and appliances need within the horizon."""
    days = len(document["outlook"]["load_kwh"]) * document["slot_minutes"] / (24 * 60)
    needed = sum(load["energy_kwh_per_day"] * days for load in document["site"]["loads"])
    for car in document["site"]["vehicles"]:
        state = document["state"]["vehicles"][car["name"]]
        highest = max(session["target_soc"] for session in state["sessions"])
        gained_kwh = max(highest - state["soc"], 0.0) * car["capacity_kwh"]
        needed += gained_kwh / car["charge_efficiency"]
    return float(needed)


def _compare_emhass(
    documents: Sequence[dict[str, Any]], whole_ms: FloatArray
) -> dict[str, Any] | None:
    """Return EMHASS's figures beside the planner's on the same homes.

    ``ratio`` is to the planner's time for the whole homes, ``ratio_same`` for these to the same
    gap. ``luna_costs_more`` is the most that a plan of the planner costs beyond EMHASS's, in the
    currency, by flows at the meter and the battery alone. ``rejected`` counts plans of EMHASS that
    miss the level at the end or the devices' energy.
    """
    plans = plan_devices_by_emhass(documents, gap=FULL_GAP)
    if plans is None:
        return None
    same_ms = []
    more: list[float] = []
    for document, flows in zip(documents, plans.flows, strict=True):
        request = PlanRequest.model_validate(document)
        capacity_kwh = document["site"]["batteries"][0]["capacity_kwh"]
        begun_s = processor_s()
        plan = make_plan(build_problem(request), Solver())
        same_ms.append((processor_s() - begun_s) * 1e3)
        throughput = plan.flows.charge_kwh.sum(axis=0) + plan.flows.discharge_kwh.sum(axis=0)
        own_flows = {
            "import_kwh": plan.flows.import_kwh.tolist(),
            "export_kwh": plan.flows.export_kwh.tolist(),
            "throughput_kwh": throughput.tolist(),
            "curtailed_kwh": plan.flows.curtailed_kwh.tolist(),
            "soc_end": (plan.flows.stored_kwh[0] / capacity_kwh).tolist(),
        }
        theirs = price_plan(flows, request)
        misses_energy = sum(flows["devices_kwh"]) < needed_kwh(document) - _SAME_ENERGY_KWH
        if np.isnan(theirs) or misses_energy:
            continue
        more.append(price_plan(own_flows, request) - theirs)
    figures = _compare_times(plans.milliseconds, whole_ms)
    return figures | {
        "ratio_same": float(np.median(plans.milliseconds) / np.median(same_ms)),
        "luna_costs_more": max(more, default=None),
        "compared": len(more),
        "rejected": len(documents) - len(more),
    }


def compare_with_best(
    plans: Mapping[str, HomePlan], known: Mapping[str, HomePlan]
) -> dict[str, Any]:
    """Return plans' costs above the best known ones, in the currency, and their stated gaps.

    ``unproven`` counts plans that ended before the stop rule was met, ``beyond_allowed`` those
    above the best one by more than it allows, ``bounds_above_best`` those whose bound a known
    plan undercuts.
    """
    above = []
    gap_costs = []
    unproven = 0
    beyond_allowed = 0
    bounds_above_best = 0
    for name, plan in plans.items():
        gap_cost = plan.cost - plan.bound
        if np.isfinite(gap_cost):
            gap_costs.append(gap_cost)
            unproven += gap_cost > STOP_AT.allow(plan.cost) + EXACT
        else:
            unproven += 1
        best = known.get(name)
        if best is None:
            continue
        above.append(plan.cost - best.cost)
        beyond_allowed += plan.cost - best.cost > STOP_AT.allow(best.cost) + EXACT
        bounds_above_best += plan.bound > best.cost + EXACT
    return {
        "homes": len(plans),
        "known": len(above),
        "median_gap_cost": float(np.median(gap_costs)) if gap_costs else None,
        "largest_gap_cost": max(gap_costs, default=None),
        "unproven": int(unproven),
        "median_above_best": float(np.median(above)) if above else None,
        "largest_above_best": max(above, default=None),
        "beyond_allowed": int(beyond_allowed),
        "bounds_above_best": int(bounds_above_best),
    }


def _describe_plain(
    plain: Mapping[str, HomePlan], known: Mapping[str, HomePlan], times: FloatArray
) -> dict[str, Any]:
    """Return the complete model's figures, and its time over that of the plans."""
    taken = np.array([plan.cpu_ms for plan in plain.values()])
    ratio = float(np.median(taken / np.median(times, axis=0)))
    solved = {name: plan for name, plan in plain.items() if np.isfinite(plan.cost)}
    unsolved = len(plain) - len(solved)
    figures = describe(taken) | {"ratio": ratio, "unsolved": unsolved}
    return figures | compare_with_best(solved, known)


def read_best() -> dict[str, dict[str, HomePlan]]:
    """Return the best known plans by variant and home."""
    if not BEST.exists():
        return {}
    stored: Mapping[str, Mapping[str, tuple[float, float | None]]] = json.loads(
        BEST.read_text(encoding="utf-8")
    )
    best: dict[str, dict[str, HomePlan]] = {}
    for variant, homes in stored.items():
        best[variant] = {}
        for name, (cost, bound) in homes.items():
            best[variant][name] = HomePlan(cost, -np.inf if bound is None else bound)
    return best


def record_best(variant: HomeVariant, count: int, *, long_s: float = LONG_S) -> None:
    """Store better plans of those of a variant's homes that have no proven best plan."""
    load_kernels()
    for name, document in list(generate_homes(variant).items())[:count]:
        known = read_best().get(variant, {}).get(name)
        if known is not None and known.is_exact:
            continue
        problem = build_problem(PlanRequest.model_validate(document))
        best = plan_home(problem, limit_s=long_s).joined(known)
        if not best.is_exact:
            exact = SearchLimits(gap_cost=EXACT)
            best = best.joined(solve_plain(problem, exact, time_limit_s=long_s))
        _write_best(variant, name, best)
        _show(f"{variant} {name}", best, None, None)


def _write_best(variant: HomeVariant, name: str, best: HomePlan) -> None:
    known = read_best()
    known.setdefault(variant, {})[name] = best
    document: dict[str, dict[str, list[float | None]]] = {}
    for variant_name in sorted(known):
        document[variant_name] = {}
        for home, plan in sorted(known[variant_name].items()):
            bound = round(plan.bound, 4) if np.isfinite(plan.bound) else None
            document[variant_name][home] = [round(plan.cost, 4), bound]
    BEST.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _show(name: str, made: HomePlan, best: HomePlan | None, plain: HomePlan | None) -> None:
    parts = [f"{name}: {made.cost:.4f}, bound {made.bound:.4f}, {made.cpu_ms:.0f} ms"]
    if best is not None:
        parts.append(f"{100 * (made.cost - best.cost):.2f} ct above the best known")
    if plain is not None:
        parts.append(f"complete model {plain.cost:.4f} in {plain.cpu_ms:.0f} ms")
    print("; ".join(parts), file=sys.stderr, flush=True)


def main(words: Sequence[str]) -> None:
    """Measure, or record, what the words of the command line name."""
    count = next((int(word) for word in words if word.isdigit()), None)
    variants = [variant for variant in VARIANTS if variant in words] or list(VARIANTS)
    limit_s = None
    for word in words:
        if word.startswith("--seconds="):
            limit_s = float(word.removeprefix("--seconds="))
    if "--record" in words:
        for variant in variants:
            record_best(variant, count or FULL_HOMES, long_s=limit_s or LONG_S)
        return
    load_kernels()
    figures = {
        variant: measure_variant(variant, count or FULL_HOMES, limit_s=limit_s)
        for variant in variants
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
