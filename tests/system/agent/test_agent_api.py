"""The agent over HTTP: where it stands, scores, who decided, trainings, plans, and what its owner
wants of it.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.platform.clock import FixedClock
from luna.platform.database import agent_gates, audit, sites
from luna.platform.database.audit import AuditFilter
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.agent.home_with_agent import DAYS, name_run, store_agent_home
from tests.support.database.databases import remove_site
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import DemoHome
from tests.support.words.wording import wording

HOME = "/v1/sites/agented/agent"
BARE = "/v1/sites/unlearned/agent"
RUN = name_run("agented")


@pytest.fixture(scope="module")
def home(database: Engine) -> Iterator[DemoHome]:
    """A home that is read."""
    yield store_agent_home(database, name="agented")
    remove_site(database, "agented")


@pytest.fixture
def changing(database: Engine) -> Iterator[str]:
    """Where another one is, whose agent a test changes."""
    store_agent_home(database, name="changing")
    yield "/v1/sites/changing/agent"
    remove_site(database, "changing")


@pytest.fixture(scope="module")
def api(
    home: DemoHome, redis_url: str, database_url: str, database: Engine
) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with stored_site(database, name="unlearned"), serve(addresses, FixedClock(home.now)) as client:
        yield client


def read(api: httpx.Client, path: str, **query: Any) -> Any:
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_it_says_where_the_agent_stands_in_the_readers_language(api: httpx.Client) -> None:
    status = read(api, HOME)
    assert (status["policy"], status["wanted"], status["mode"], status["run_id"]) == (
        "antares",
        "export_only",
        "export_only",
        RUN,
    )
    assert [each["days"] for each in status["evidence"]] == [180, 31, 211]
    assert read(api, BARE)["next_step"] == wording("agent_status", "next_train")
    assert read(api, BARE, language="de")["next_step"] == wording(
        "agent_status", "next_train", "de"
    )


def test_scores_of_a_period_hold_the_days_that_all_were_scored_on(api: httpx.Client) -> None:
    month = read(api, f"{HOME}/scores")
    day = read(api, f"{HOME}/scores", period="yesterday")
    assert (len(month["days"]), len(day["days"])) == (DAYS, 1)
    # A day costs 2.40 with the inverter alone, 1.50 under the planner, 1.49 under the agent, 1.30
    # with foresight.
    assert month["policies"]["antares"]["saved"] == pytest.approx(0.91 * DAYS)
    assert month["policies"]["antares"]["share"] == pytest.approx(0.91 / 1.1)
    assert month["over_mpc"]["gain"] == pytest.approx(0.01 * DAYS)
    # Ten days are less than two blocks of a week.
    assert (month["over_mpc"]["low"], month["over_mpc"]["days_ahead"]) == (None, DAYS)
    assert (read(api, f"{BARE}/scores")["days"], read(api, f"{BARE}/scores")["over_mpc"]) == (
        [],
        None,
    )


def test_each_slot_says_who_decided_it_and_what_both_plans_had(api: httpx.Client) -> None:
    slots = read(api, f"{HOME}/slots")["slots"]
    assert {each["decided_by"] for each in slots} == {"planner", "agent", None}
    decided = [each for each in slots if each["decided_by"] == "agent"]
    assert len(decided) == 8
    assert {
        (each["reason"], each["agent_mode"], each["verdict"]["follow"]) for each in decided
    } == {("agent_cheaper", "export", "export")}
    assert all(
        each["agent_plan_id"] == f"agent-{each['plan_id']}" for each in slots if each["plan_id"]
    )
    assert read(api, f"{BARE}/slots")["slots"] == []


def test_trainings_are_listed_and_that_of_another_kind_is_none_of_the_agents(
    api: httpx.Client,
) -> None:
    (run,) = read(api, f"{HOME}/runs")["runs"]
    assert (run["run_id"], run["kind"], run["speaks"]) == (RUN, "value", True)
    assert read(api, f"{HOME}/runs", kind="rl")["runs"] == []
    assert api.get(f"{HOME}/runs/nothing").status_code == 404
    assert api.get(f"{BARE}/runs/{RUN}").status_code == 404


def test_plans_are_paged_and_read_by_their_id_on_their_own_site_alone(api: httpx.Client) -> None:
    first = read(api, f"{HOME}/plans", limit=1)
    second = read(api, f"{HOME}/plans", limit=1, cursor=first["cursor"])
    plan_id = first["plans"][0]["plan_id"]
    assert plan_id != second["plans"][0]["plan_id"]
    answer = api.get(f"{HOME}/plans/{plan_id}")
    assert (answer.json()["plan_id"], answer.headers["etag"]) == (plan_id, f'"{plan_id}"')
    assert (
        api.get(f"{HOME}/plans/{plan_id}", headers={"If-None-Match": f'"{plan_id}"'}).status_code
        == 304
    )
    assert api.get(f"{BARE}/plans/{plan_id}").status_code == 404


def test_withdrawal_holds_at_once_and_asking_for_the_mode_gives_it_back_as_it_was(
    api: httpx.Client, changing: str
) -> None:
    taken = api.post(f"{changing}/withdrawal").json()["gates"]
    assert {(each["mode"], each["state"], each["decided_by"]) for each in taken} == {
        ("export_only", "withdrawn", "owner"),
        ("full_control", "withdrawn", "owner"),
    }
    assert (read(api, changing)["mode"], read(api, changing)["next_step_code"]) == (
        "shadow",
        "restore",
    )
    assert api.put(f"{changing}/settings", json={"control_mode": "export_only"}).status_code == 200
    status = read(api, changing)
    assert status["mode"] == "export_only"
    # More than was asked for stays withdrawn.
    assert {each["mode"]: each["state"] for each in status["modes"]} == {
        "shadow": "offered",
        "export_only": "active",
        "full_control": "withdrawn",
    }
    kinds = [each["kind"] for each in read(api, f"{changing}/gates")["gates"]]
    assert kinds[:4] == ["restored", "asked", "withdrawn", "withdrawn"]


def test_asking_for_control_without_evidence_gives_none(
    api: httpx.Client, database: Engine
) -> None:
    assert api.put(f"{BARE}/settings", json={"control_mode": "full_control"}).json() == {
        "shadow_policy_type": "lightgbm",
        "control_mode": "full_control",
    }
    status = read(api, BARE)
    assert (status["wanted"], status["mode"]) == ("full_control", "shadow")
    with unit_of_work(database) as connection:
        assert sites.load(connection, "unlearned").antares.control_mode == "full_control"
        assert agent_gates.read_standing(connection, "unlearned", policy="antares") == {}


def test_a_change_of_settings_holds_the_version_that_was_read(
    api: httpx.Client, changing: str
) -> None:
    wish = {"shadow_policy_type": "rl"}
    assert (
        api.put(f"{changing}/settings", json=wish, headers={"If-Match": '"7"'}).status_code == 412
    )
    changed = api.put(f"{changing}/settings", json=wish, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["control_mode"]) == (
        200,
        '"2"',
        "export_only",
    )
    # What was proven by another policy says nothing of this one.
    assert read(api, changing)["mode"] == "shadow"


def test_trainings_and_evaluations_are_jobs(api: httpx.Client) -> None:
    for path, body in (("trainings", {"kind": "clone"}), ("evaluations", {"days": 14})):
        answer = api.post(f"{BARE}/{path}", json=body)
        assert (answer.status_code, answer.headers["location"]) == (
            202,
            f"/v1/jobs/{answer.json()['job_id']}",
        )
        api.delete(answer.headers["location"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "trainings", {"kind": "magic"}),
        ("POST", "evaluations", {"days": 3}),
        ("PUT", "settings", {"control_mode": "everything"}),
        ("GET", "scores?period=century", None),
        ("GET", "slots?from=2026-05-01&to=2026-05-20", None),
        ("GET", "days/someday/picture", None),
        ("GET", "gates?cursor=nonsense", None),
    ],
)
def test_what_cannot_be_meant_is_refused(
    api: httpx.Client, method: str, path: str, body: Any
) -> None:
    answer = api.request(method, f"{HOME}/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_what_changed_control_is_in_the_audit_log(
    api: httpx.Client, changing: str, database: Engine
) -> None:
    api.post(f"{changing}/withdrawal")
    with unit_of_work(database) as connection:
        (newest, *_), _ = audit.list_before(connection, AuditFilter(site="changing"), limit=1)
    assert (newest.operation, newest.status) == ("withdraw_agent", 200)
