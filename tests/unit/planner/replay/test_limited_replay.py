"""A replayed day keeps the limits of the grid operator that held, and nobody knows them before."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from luna.energy.operator_limits import OperatorLimit, limit_slots
from luna.energy.simulator import Trajectory, simulate
from luna.energy.timeline import SLOT, Timeline
from services.planner.problem.rolling_horizon import HORIZON, SiteKnowledge
from services.planner.replay import ReplayData, Rules
from services.planner.replay.policies import ModelPredictive
from tests.support.planning.replay import NOW, WINDOW, make_scene

# Planned anew every two hours.
EVERY = 8


def live(scene: ReplayData) -> Trajectory:
    """Return the flows of a planner over the window."""
    rules = Rules.of(scene)
    knowledge = SiteKnowledge(scene.site, scene.foresight, scene.prices, limits=scene.limits)
    policy = ModelPredictive(knowledge, scene.timeline, EVERY)
    limits = rules.limits.between(0, scene.timeline.count)
    return simulate(policy, scene.actuals, limits=limits, stored_kwh=rules.initial_kwh)


def limit_around(slot: int, import_kw: float) -> OperatorLimit:
    start = WINDOW.start + (slot - 4) * SLOT
    return OperatorLimit(
        limit_id="dimmed",
        start=start,
        end=start + 8 * SLOT,
        import_kw=import_kw,
        export_kw=None,
        scope="devices",
        source="contact",
    )


def test_a_replayed_plan_keeps_the_limits_that_held() -> None:
    scene = make_scene()
    free = live(scene)
    dearest = int(free.flows.charge_kwh[0, 0].argmax())
    limited_scene = replace(scene, limits=[limit_around(dearest, 0.5)])
    limited = live(limited_scene)
    actuals = scene.actuals
    allowed_kw = limit_slots(
        limited_scene.limits, WINDOW, load_kwh=actuals.load_kwh, pv_kwh=actuals.pv_kwh
    ).import_kw
    assert np.isfinite(allowed_kw).sum() == 8
    assert (free.flows.import_kwh[0] > allowed_kw / 4 + 0.1).any()
    assert (limited.flows.import_kwh[0] <= allowed_kw / 4 + 1e-6).all()


def test_a_limit_is_unknown_until_it_begins() -> None:
    scene = make_scene()
    begins = NOW + 4 * SLOT
    limit = replace(limit_around(0, 1.0), start=begins, end=begins + timedelta(hours=2))
    knowledge = SiteKnowledge(scene.site, scene.foresight, scene.prices, limits=[limit])
    before = knowledge.look_ahead(NOW, Timeline(NOW, SLOT, HORIZON // SLOT))
    assert before.import_limit_kw is None
    after = knowledge.look_ahead(begins, Timeline(begins, SLOT, HORIZON // SLOT))
    assert after.import_limit_kw is not None
    assert np.isfinite(after.import_limit_kw).sum() == 8
