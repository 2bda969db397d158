"""Causes are functions that an editor can follow, and some cause is true of every slot."""

import ast
from collections.abc import Iterator

import numpy as np

from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.reply.causes.precedence import find_first_causes, list_groups
from services.planner.reply.evidence import Evidence
from tests.support.documentation.sources import read_sources
from tests.support.planning.problems import draw_contradiction, draw_problem
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

BY_STRING = {"getattr", "attrgetter", "methodcaller", "eval", "exec"}


@each_row("batteries", [1, 2])
@each_row("draw", [draw_problem, draw_contradiction])
@each_row("seed", range(draws(6)))
def test_some_cause_is_true_of_every_slot(seed: int, draw: object, batteries: int) -> None:
    assert callable(draw)
    plan = make_plan(draw(np.random.default_rng(seed), batteries=batteries, slots=24), Solver())
    evidence = Evidence(plan)
    everywhere = np.ones(evidence.charge.shape, dtype=bool)
    assert (find_first_causes(evidence, everywhere)[0] >= 0).all()
    assert (find_first_causes(evidence, ~everywhere)[0] == -1).all()


@each_row("seed", range(draws(6)))
def test_the_first_cause_that_is_true_is_the_reason(seed: int) -> None:
    plan = make_plan(draw_problem(np.random.default_rng(seed), batteries=2, slots=48), Solver())
    evidence = Evidence(plan)
    everywhere = np.ones(evidence.charge.shape, dtype=bool)
    places, found = find_first_causes(evidence, everywhere)
    codes = []
    holds = []
    for applies, causes in list_groups(evidence):
        for cause in causes:
            codes.append(cause.code)
            holds.append(np.broadcast_to(applies & cause.holds, places.shape))
    chosen = np.array([cause.code for cause in found])[places]
    assert (np.array(codes)[np.array(holds).argmax(axis=0)] == chosen).all()


def test_no_evidence_is_looked_up_by_a_string() -> None:
    sources = read_sources("services/planner/reply/causes")
    assert len(sources) > 4
    found = [name for text in sources.values() for name in _list_calls(text)]
    assert BY_STRING.intersection(found) == set()


def _list_calls(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
