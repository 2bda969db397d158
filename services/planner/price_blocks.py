"""Tariffs in blocks: what a kWh costs depends on how much the month draws, so the plan and the price are found together."""

from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from luna.economics import Blocks, list_months
from luna.site import BlockPrice
from luna.timeline import FloatArray, IndexArray
from services.planner.model.solver import Solver
from services.planner.model_plan import plan_by_model
from services.planner.plan import Plan, Spread, price_flows
from services.planner.posing.problem import Problem

_NOTHING_KWH = 1e-6


def plan_in_blocks(problem: Problem, solver: Solver, *, make: Callable[[Problem], Plan]) -> Plan:
    """Return the least-cost plan under a tariff in blocks.

    At the price of the block in which a month ends, a plan that ends there is the best of all: prices rise from block to block. Only where a month
    would end before the block's begin at its price, and beyond it at the one before, it ends just there: the model plans it.

    Args:
        problem: with blocks, and nothing to place.
        solver: kept between calls.
        make: plans a problem without blocks.
    """
    blocks = problem.blocks
    if blocks is None:
        return make(problem)
    timeline = problem.outlook.timeline
    months = list_months(timeline, ZoneInfo(problem.site.timezone))
    first = [blocks.block_of(0.0, first=number == 0) for number in range(len(months))]
    assumed = first.copy()
    while True:
        plan = make(_price_at(problem, blocks, months, assumed))
        drawn = [float(plan.flows.import_kwh[slots].sum()) for slots in months]
        ends = [blocks.block_of(energy - _NOTHING_KWH, first=number == 0) for number, energy in enumerate(drawn)]
        begins = [blocks.block_of(energy + _NOTHING_KWH, first=number == 0) for number, energy in enumerate(drawn)]
        if any(begin < block for begin, block in zip(begins, assumed, strict=True)):
            return _plan_at_edge(problem, solver)
        if all(end <= block for end, block in zip(ends, assumed, strict=True)):
            return replace(plan, costs=price_flows(problem, plan.flows))
        assumed = [block + (end > block) for end, block in zip(ends, assumed, strict=True)]


def _price_at(problem: Problem, blocks: Blocks, months: list[IndexArray], assumed: list[int]) -> Problem:
    """Return the problem at the price of one block for each month."""
    price = problem.outlook.import_price.copy()
    for slots, block in zip(months, assumed, strict=True):
        price[slots] += blocks.price_above(block)
    return replace(problem, outlook=replace(problem.outlook, import_price=price), blocks=None)


def _plan_at_edge(problem: Problem, solver: Solver) -> Plan:
    plan = plan_by_model(problem, solver)
    spread = None if problem.courses is None else Spread(1, problem.courses.weight.size, reasons=("no_value_function",))
    return replace(plan, spread=spread)


def show_import_price(plan: Plan) -> FloatArray:
    """Return the import price of each slot, ``(slots,)``: in blocks what its energy costs on the average, where it draws any."""
    price, imported = plan.problem.paid.outlook.import_price, plan.flows.import_kwh
    if not isinstance(plan.problem.site.tariff.import_, BlockPrice):
        return price
    return np.asarray(np.divide(plan.costs.import_cost, imported, out=price.copy(), where=imported > _NOTHING_KWH))
