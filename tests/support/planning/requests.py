"""Requests for plans over hours, what the planner makes of them, and how their documents are
written.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from luna.contracts.plan import PlanReply, PlanRequest
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.reply.reply import plan_request
from tests.support.planning.problems import START

# Half a kilowatt around the clock, no sun.
QUIET = {"load_kwh": 0.5, "pv_kwh": 0.0, "export_price": 0.05}


def describe_home(**parts: Any) -> dict[str, Any]:
    """Return the description of a site in UTC that has these parts and nothing else."""
    return {"name": "home", "timezone": "UTC"} | parts


def describe_request(
    site: Mapping[str, Any],
    series: Mapping[str, Any],
    *,
    start: datetime = START,
    soc: float = 0.5,
    **parts: Any,
) -> dict[str, Any]:
    """Return the document of a request in hours.

    Args:
        site: what the home has.
        series: the outlook's; numbers where they never change, ``QUIET`` where nothing is said.
        start: when the plan begins.
        soc: how full each battery is.
        parts: further parts of the request; ``state`` stands beside that of the batteries.
    """
    home = describe_home(**site)
    state = {
        "batteries": {
            each.get("name", "battery"): {"soc": soc} for each in home.get("batteries", [])
        }
    } | parts.pop("state", {})
    return {
        "site": home,
        "start": start,
        "slot_minutes": 60,
        "outlook": spread(QUIET | series),
        "state": state,
    } | parts


def make_request(
    site: Mapping[str, Any],
    series: Mapping[str, Any],
    *,
    start: datetime = START,
    soc: float = 0.5,
    **parts: Any,
) -> PlanRequest:
    """Return the request that ``describe_request`` describes."""
    return PlanRequest.model_validate(describe_request(site, series, start=start, soc=soc, **parts))


def spread(series: Mapping[str, Any]) -> dict[str, Any]:
    """Return series as lists, a number repeated as often as the longest has values."""
    count = max(np.size(values) for values in series.values() if not isinstance(values, Mapping))
    repeated = {
        name: np.full(count, values)
        for name, values in series.items()
        if isinstance(values, int | float)
    }
    return {
        name: values.tolist() if isinstance(values, np.ndarray) else values
        for name, values in (series | repeated).items()
    }


def value_rest(worth: float, **options: Any) -> dict[str, Any]:
    """Return options by which a stored kWh is worth this much at the end, and the best plan is
    looked for to the last cent.
    """
    return {"terminal": {"kind": "value", "value": worth}, "mip_gap": 0.0} | options


def charging_session(
    first: float, last: float, *, start: datetime = START, **demands: Any
) -> dict[str, Any]:
    """Return a car's session between two hours after ``start``."""
    return {
        "from": (start + timedelta(hours=first)).isoformat(),
        "to": (start + timedelta(hours=last)).isoformat(),
    } | demands


def solve(request: PlanRequest) -> Plan:
    """Return the plan of a request."""
    return make_plan(build_problem(request), Solver())


def answer(request: PlanRequest) -> PlanReply:
    """Return the reply to a request at its start."""
    assert request.start is not None
    return plan_request(request, now=request.start, solver=Solver())
