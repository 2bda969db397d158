"""Which service replays which policies."""

from datetime import date

from luna.contracts.agent import AGENT_POLICIES, AgentReplayRequest, choose_replay
from luna.contracts.replay import Fault, ReplayRequest
from luna.words import POLICIES, read_policy, say_policy
from services.planner.replay.policies import find_policies, plans_from_forecasts
from tests.support.suite.tables import each_row

ASKED = ReplayRequest(
    site_id="home",
    from_day=date(2024, 4, 1),
    to_day=date(2024, 4, 7),
    faults=[Fault(kind="planner_down")],
    seed=3,
)


@each_row("name", AGENT_POLICIES)
def test_a_replay_with_a_learned_policy_is_the_agents_and_otherwise_the_same(name: str) -> None:
    asked = ASKED.model_copy(update={"policies": ["idle", name]})
    chosen = choose_replay(asked)
    assert type(chosen) is AgentReplayRequest
    assert chosen.queue() == "agent"
    assert chosen.model_dump() == asked.model_dump()
    assert choose_replay(chosen) is chosen


def test_a_replay_of_declared_policies_is_the_planners() -> None:
    asked = ASKED.model_copy(update={"policies": list(find_policies())})
    assert choose_replay(asked) is asked
    assert type(choose_replay(AgentReplayRequest(**dict(asked)))) is ReplayRequest


@each_row("name", AGENT_POLICIES)
def test_a_learned_policy_has_a_name_in_words_and_plans_from_forecasts(name: str) -> None:
    assert {read_policy(say_policy(name, language=language)) for language in ("de", "en")} == {name}
    assert name in POLICIES
    assert name not in find_policies()
    assert plans_from_forecasts([name])


def test_what_looks_at_nothing_ahead_needs_no_forecast() -> None:
    assert not plans_from_forecasts(
        ["idle", "self_consumption", "rule", "oracle", "mpc_perfect", "never_heard_of"]
    )
    assert plans_from_forecasts(["idle", "mpc"])
