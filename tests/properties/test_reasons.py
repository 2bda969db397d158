"""Every reason of every kind of plan is true of the flows, prices and limits of its reply."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest
from luna.energy.errors import LunaError
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request
from tests.support.planning.given_reason import Document
from tests.support.planning.random_requests import START, draw_request
from tests.support.planning.reason_check import list_faults
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

# How many requests of a kind are drawn in a long run.
DRAWN = {
    "plain": 60,
    "batteries": 56,
    "contradiction": 16,
    "special": 16,
    "cycles": 16,
    "inverters": 16,
    "manual": 16,
    "reserve": 16,
    "weighed": 6,
    "vehicles": 20,
    "loads": 20,
    "peaks": 10,
}
# The shortest plan has so many slots, each with a reason.
LEAST_SLOTS = 12
Pair = tuple[Document, Document]
dump = partial(PlanRequest.model_dump, mode="json", by_alias=True, exclude_none=True)


def draw_replies(kind: str, count: int) -> Iterator[Pair]:
    """Yield random requests of a kind with their replies as documents."""
    solver = Solver()
    for seed in range(count):
        request = PlanRequest.model_validate(draw_request(np.random.default_rng(seed), kind))
        # A plan that does not come gives no reason that could be false.
        with contextlib.suppress(LunaError):
            reply = plan_request(request, now=START, solver=solver)
            yield dump(request), reply.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize("kind", DRAWN)
def test_every_reason_is_true_of_flows_prices_and_limits(kind: str) -> None:
    replies = list(draw_replies(kind, draws(DRAWN[kind])))
    assert [fault for pair in replies for fault in list_faults(*pair)] == []
    assert [path for _, reply in replies for path in find_dust(reply)] == []
    assert sum(len(reply["slots"]) for _, reply in replies) >= LEAST_SLOTS * draws(DRAWN[kind]) / 2


def find_dust(document: Any, path: str = "") -> Iterator[str]:
    """Yield where a document holds a rounding error, or a zero with a minus."""
    if isinstance(document, dict):
        for name, part in document.items():
            yield from find_dust(part, f"{path}.{name}")
    elif isinstance(document, list):
        for place, part in enumerate(document):
            yield from find_dust(part, f"{path}[{place}]")
    elif isinstance(document, float) and (0 < abs(document) < 1e-9 or str(document) == "-0.0"):
        yield path


@pytest.fixture
def pair() -> Pair:
    """A plan whose first slot serves the house from the battery."""
    document = draw_request(np.random.default_rng(3), "plain")
    prices = {"import_price": [0.4] + [0.2] * 7, "export_price": [0.05] * 8}
    document["outlook"] = {"load_kwh": [0.3] * 8, "pv_kwh": [0.0] * 8} | prices
    document.pop("first_slot_minutes", None)
    powers = {"charge_limit_kw": 5, "discharge_limit_kw": 5}
    document["site"]["batteries"] = [{"name": "battery", "capacity_kwh": 10} | powers]
    document["site"]["grid"] = {"import_limit_kw": 10, "export_limit_kw": 10}
    document |= {"slot_minutes": 15, "state": {"batteries": {"battery": {"soc": 0.5}}}}
    document["options"] = {"terminal": {"kind": "value", "value": 0.1}}
    request = PlanRequest.model_validate(document)
    reply = plan_request(request, now=START, solver=Solver())
    return dump(request), reply.model_dump(mode="json", by_alias=True)


def test_a_true_reason_is_not_called_false(pair: Pair) -> None:
    assert pair[1]["slots"][0]["reason"]["code"] == "serve_house"
    assert list_faults(*pair) == []


LATER = "2024-03-30T17:15:00+00:00"


@each_row(
    ("what", "code", "figures", "claim"),
    [
        ("a code without words", "sell_low", {}, "is a reason"),
        ("another slot's price", "serve_house", {"buy": 0.38}, "buy is that"),
        (
            "a dearer refill",
            "sell_solar",
            {"sell": 0.01, "time": LATER},
            "costs less then",
        ),
        ("another slot's value", "serve_house", {"value": 0.39}, "value is that"),
        ("cents for euros", "serve_house", {"buy": 40.0}, "buy is plausible"),
        ("no gain", "serve_house", {"value": 0.4}, "value is below buy"),
        ("more than it gives", "sell_stored", {"kwh": 0.4}, "moves that"),
        ("empty though it is not", "empty", {}, "is at its lowest"),
        ("full though it is not", "full", {}, "is full"),
        ("idle though it serves", "rest", {}, "rests"),
        ("charges though it gives", "charge_from_grid", {"kwh": 0.1}, "charges"),
        ("a surplus that is none", "store_solar", {"kwh": 0.1}, "has surplus"),
        ("a sale that is none", "sell_stored", {"kwh": 0.3}, "sells"),
        ("a limit that is not reached", "power_limit", {"kw": 5.0}, "kw is that"),
        ("a block that is none", "manual", {"time": LATER}, "is set until then"),
        ("a later price", "hold_for_peak", {"price": 0.3, "time": LATER}, "price is that"),
        ("a refill that is none", "serve_house", {"time": LATER}, "charges then"),
        ("an hour that is past", "rest", {"time": START.isoformat()}, "is later"),
    ],
)
def test_what_is_false_is_found(pair: Pair, what: str, code: str, figures: Any, claim: str) -> None:
    request, reply = pair
    first, *others = reply["slots"]
    said = {"code": code, "figures": first["reason"]["figures"] | figures}
    changed = reply | {"slots": [first | {"reason": first["reason"] | said}, *others]}
    assert claim in [fault for *_, fault in list_faults(request, changed)], what
