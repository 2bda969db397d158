"""Work that the gateway accepts with 202, and how it ends."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.compose.stack import wait_for

# Of the demo's unseen days; each job below covers its own, so that no two are the same piece of
# work.
FIRST_DAY = 10


@dataclass
class Jobs:
    """The gateway's jobs.

    ``begin`` names the work by service: each takes some seconds on the demo's data.
    """

    api: httpx.Client

    def begin(self, service: str, *, number: int = 0) -> str:
        """Have a job accepted and return its id; jobs of other numbers are other work."""
        answers: list[httpx.Response] = []

        def answered() -> bool:
            answers.append(self.accept(service, number=number))
            return answers[-1].status_code != httpx.codes.SERVICE_UNAVAILABLE

        # A machine that starts four stacks may keep its queue waiting for longer than the gateway
        # does.
        wait_for(answered, seconds=60, what=f"the gateway takes work for {service}")
        return str(answers[-1].raise_for_status().json()["job_id"])

    def accept(self, service: str, *, number: int = 0) -> httpx.Response:
        """Return what the gateway answers to a job."""
        return self.api.post(
            "/v1/jobs", json={**WORK[service](number), "key": f"{service}-{number}"}
        )

    def state(self, job_id: str) -> dict[str, Any]:
        """Return what is known of a job."""
        document: dict[str, Any] = self.api.get(f"/v1/jobs/{job_id}").raise_for_status().json()
        return document

    def wait(self, job_id: str, *statuses: str, seconds: float = 300) -> float:
        """Wait until a job is in one of the states.

        Return the seconds. A gateway whose database is away cannot tell, and says so.
        """

        def reached() -> bool:
            answer = self.api.get(f"/v1/jobs/{job_id}")
            return answer.status_code == httpx.codes.OK and answer.json()["status"] in statuses

        return wait_for(reached, seconds=seconds, what=f"job {job_id} is {' or '.join(statuses)}")

    def read_file(self, name: str, content: bytes) -> list[dict[str, Any]]:
        """Hand over a file to be searched, wait until it is read, and return its documents."""
        accepted = (
            self.api.post("/v1/documents", files={"file": (name, content)})
            .raise_for_status()
            .json()
        )
        job_id = accepted["job"]["job_id"]
        self.wait(job_id, "done", "failed", "dead")
        job = self.state(job_id)
        assert job["status"] == "done", job
        documents: list[dict[str, Any]] = job["reply"]["documents"]
        return documents


def replay(number: int) -> dict[str, Any]:
    """A month with perfect foresight, planned anew every hour."""
    first, last = (f"2023-{month}-{FIRST_DAY + number:02}" for month in ("09", "10"))
    return {
        "task": "planner.replay.run",
        "request": {
            "site_id": "home",
            "from_day": first,
            "to_day": last,
            "policies": ["mpc_perfect"],
        },
    }


def train(number: int) -> dict[str, Any]:
    """A model of eight months."""
    return {
        "task": "forecaster.model.train",
        "request": {"site_id": "home", "until": f"2023-08-{FIRST_DAY + number:02}T00:00:00Z"},
    }


def load(number: int) -> dict[str, Any]:
    """The demo's two years of quarter-hours."""
    return {"task": "ingest.demo.load", "request": {}}


def issue(number: int) -> dict[str, Any]:
    """One forecast."""
    return {
        "task": "forecaster.forecast.issue",
        "request": {"site_id": "home", "at": f"2023-09-{FIRST_DAY + number:02}T06:00:00Z"},
    }


def learn(number: int) -> dict[str, Any]:
    """An agent of the whole year; for minutes."""
    return {"task": "agent.policy.train", "request": {"site_id": "home", "seed": number}}


# By the container whose worker does it, and one that takes a moment only.
WORK = {
    "planner-jobs": replay,
    "forecaster": train,
    "ingest": load,
    "agent": learn,
    "moment": issue,
}
