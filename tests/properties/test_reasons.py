"""Every sentence of every kind of plan is true: judged by flows, prices and limits of the reply, and as it is printed."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest
from luna.energy.errors import LunaError
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request
from tests.support.planning.placed_judge import count_reasons, judge_placed
from tests.support.planning.random_requests import START, draw_request
from tests.support.planning.reason_judge import find_dust, judge
from tests.support.suite.depth import THOROUGH
from tests.support.suite.tables import each_row

# By kind of request how many are drawn, and how many reasons a fourth of them gives at least; LUNA_TEST_REASONS=10 draws ten times as many.
DRAWN = {
    "plain": (60, 2000),
    "batteries": (56, 2000),
    "contradiction": (16, 250),
    "special": (16, 250),
    "cycles": (16, 250),
    "inverters": (16, 250),
    "manual": (16, 250),
    "reserve": (16, 250),
    "weighed": (6, 30),
    "vehicles": (20, 80),
    "loads": (20, 150),
    "peaks": (10, 30),
}
PARTS = 4
TIMES = int(os.environ.get("LUNA_TEST_REASONS", "1"))
Pair = tuple[dict[str, Any], dict[str, Any]]


def draw_replies(kind: str, seeds: range) -> Iterator[Pair]:
    """Yield random requests of a kind with their replies as documents, in both languages by turns."""
    solver = Solver()
    for seed in seeds:
        document = draw_request(np.random.default_rng(seed), kind)
        document["options"]["language"] = ("en", "de")[seed % 2]
        # A plan that does not come gives no reason that could be false.
        with contextlib.suppress(LunaError):
            reply = plan_request(PlanRequest.model_validate(document), now=START, solver=solver)
            yield document, reply.model_dump(mode="json", by_alias=True)


@each_row("part", range(PARTS if THOROUGH else 1))
@pytest.mark.parametrize("kind", DRAWN)
def test_every_sentence_is_true_of_flows_prices_and_limits(kind: str, part: int) -> None:
    seeds, least = DRAWN[kind]
    replies = list(draw_replies(kind, range(part, seeds * TIMES, PARTS)))
    false = [(kind, place, *each) for place, pair in enumerate(replies) for each in (*judge(*pair), *judge_placed(*pair))]
    assert false == []
    assert [path for _, reply in replies for path in find_dust(reply)] == []
    assert sum(count_reasons(reply) for _, reply in replies) >= least * TIMES


def test_what_is_judged_in_a_run_are_twenty_thousand_reasons() -> None:
    assert PARTS * sum(least for _, least in DRAWN.values()) >= 20_000


def lie(pair: Pair, code: str, **figures: Any) -> list[str]:
    """Return what the judge finds wrong where the first slot says something else."""
    document, reply = pair
    reply["slots"][0]["reason"] |= {"code": code, "figures": reply["slots"][0]["reason"]["figures"] | figures}
    return [wrong for slot, _, _, wrong in judge(document, reply) if slot == 0]


@pytest.fixture
def pair() -> Pair:
    """A plan whose first slot serves the house from the battery."""
    document = draw_request(np.random.default_rng(3), "plain")
    document["outlook"] |= {"load_kwh": [0.3] * 8, "pv_kwh": [0.0] * 8, "import_price": [0.4] + [0.2] * 7, "export_price": [0.05] * 8}
    document["outlook"].pop("import_limit_kw", None)
    document.pop("first_slot_minutes", None)
    battery = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5, "charge_efficiency": 0.95, "discharge_efficiency": 0.95}
    document["site"] |= {"batteries": [battery], "grid": {"import_limit_kw": 10, "export_limit_kw": 10}}
    document |= {"slot_minutes": 15, "state": {"batteries": {"battery": {"soc": 0.5}}}, "options": {"terminal": {"kind": "value", "value": 0.1}}}
    reply = plan_request(PlanRequest.model_validate(document), now=START, solver=Solver())
    return document, reply.model_dump(mode="json", by_alias=True)


def test_a_true_sentence_is_not_called_false(pair: Pair) -> None:
    assert pair[1]["slots"][0]["reason"]["code"] == "serve_peak"
    assert list(judge(*pair)) == []


@each_row(
    ("code", "figures", "claim"),
    [
        pytest.param("serve_peak", {"buy": 0.38}, "buy", id="a price that is not the slot's"),
        pytest.param("serve_peak", {"value": 0.39}, "value", id="a value that is not the slot's"),
        pytest.param("empty", {}, "is empty", id="empty though it is not"),
        pytest.param("full", {}, "is full", id="full though it is not"),
        pytest.param("nothing_to_do", {}, "nothing to do", id="idle though it serves"),
        pytest.param("sell_plain", {"kwh": 0.3, "sell": 0.05}, "sells that", id="a sale that there is none of"),
        pytest.param("power_limit", {"kw": 1.2}, "gives all", id="a limit that is not reached"),
        pytest.param("hold_for_peak", {"kwh": 5.0, "price": 0.2, "time": "2024-03-30T17:15:00+00:00"}, "rests", id="kept though it is given"),
    ],
)
def test_the_judge_finds_what_is_false(pair: Pair, code: str, figures: dict[str, Any], claim: str) -> None:
    assert claim in ", ".join(lie(pair, code, **figures))
