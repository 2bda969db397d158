"""The agent plans beside the planner while its own trainings hold every process that jobs may
take.
"""

from typing import Any

import httpx
import pytest

from tests.compose.jobs import Jobs
from tests.compose.stack import wait_for

AGENT = "/v1/sites/home/agent"
# Hardly more than the fewest days of which an agent is made.
SMALL = {
    "task": "agent.policy.train",
    "request": {"site_id": "home", "until": "2023-01-25T00:00:00Z"},
}
PLANNED = {"site_id": "home", "start": "2023-09-12T12:00:00Z"}
# LUNA_WORKER_PROCESSES, as .env.example says.
PROCESSES = 2


@pytest.mark.usefixtures("demo")
def test_the_agent_plans_while_trainings_hold_every_process_of_jobs(
    api: httpx.Client, jobs: Jobs
) -> None:
    def beside(plan: dict[str, Any]) -> list[dict[str, Any]]:
        listed = api.get(f"{AGENT}/plans").raise_for_status().json()["plans"]
        return [each for each in listed if each["based_on"] == plan["plan_id"]]

    learned = api.post("/v1/jobs", json=SMALL).raise_for_status().json()["job_id"]
    jobs.wait(learned, "done", seconds=240)
    trainings = [jobs.begin("agent", number=number) for number in range(PROCESSES)]
    for training in trainings:
        jobs.wait(training, "running", seconds=180)
    plan = api.post("/plan", json=PLANNED).raise_for_status().json()
    wait_for(
        lambda: bool(beside(plan)), seconds=180, what="the agent has planned beside the planner"
    )
    assert {jobs.state(training)["status"] for training in trainings} == {"running"}
    [shadow] = beside(plan)
    assert shadow["run_id"] == jobs.state(learned)["reply"]["run_id"]
    assert (
        api.get(f"{AGENT}/plans/{shadow['plan_id']}").raise_for_status().json()["slots"][0]["start"]
        == plan["slots"][0]["start"]
    )
    for training in trainings:
        api.delete(f"/v1/jobs/{training}").raise_for_status()
