"""What an owner has in a Luna, put in and looked for over HTTP: sites with years of data, a model,
forecasts, scores, plans, a document, a person, a key.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.upgrade.release import ROOT

SCOPES = ("read", "analyse", "operate", "data", "configure", "administer")
JOB_SECONDS = 600
PASSWORD = "of this trial alone 47"  # noqa: S105 - nobody's
PERSON = "anna"
SENTENCE = "Der Sommerbonus von Musterstrom beträgt 47 Euro und wird im September ausgezahlt."
FILE = f"# Tarifblatt Musterstrom\n\n## Bonus\n\n{SENTENCE}\n".encode()
# What the demo's data hold, and work on it that ends soon.
JOBS: tuple[dict[str, Any], ...] = (
    {"task": "ingest.demo.load", "request": {}},
    {
        "task": "forecaster.model.train",
        "request": {"site_id": "home", "until": "2023-08-10T00:00:00Z"},
    },
    {
        "task": "forecaster.forecast.issue",
        "request": {"site_id": "home", "at": "2023-09-10T06:00:00Z"},
    },
    {
        "task": "planner.replay.run",
        "request": {
            "site_id": "home",
            "from_day": "2023-09-02",
            "to_day": "2023-09-03",
            "policies": ["mpc_perfect"],
        },
    },
)
SERIES = (
    "/v1/sites/home/series/load_kwh?from=2023-05-01T00:00:00Z&to=2023-05-08T00:00:00Z&limit=1000"
)


@dataclass
class Content:
    """What is there: what each address answered, and a file's own bytes."""

    answers: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def keep(self, client: httpx.Client, address: str) -> None:
        """Remember what an address answers."""
        self.answers[address] = client.get(address).raise_for_status().json()

    def find_faults(self, client: httpx.Client) -> list[str]:
        """Return in words what is not as it was; an answer may say more than it did."""
        faults = [
            f"{address}: {fault}"
            for address, was in self.answers.items()
            if (fault := _find_fault(client, address, was))
        ]
        faults += [
            f"{address}: other bytes"
            for address, was in self.files.items()
            if client.get(address).content != was
        ]
        signed_in = client.post(
            "/v1/auth/login",
            json={"name": PERSON, "password": PASSWORD, "form": "tokens"},
            headers={"Authorization": ""},
        )
        return faults + (
            [] if signed_in.is_success else [f"{PERSON} cannot sign in: {signed_in.status_code}"]
        )


def fill(client: httpx.Client) -> Content:
    """Put in what an owner has, and return it."""
    content = Content()
    for number, work in enumerate(JOBS):
        accepted = (
            client.post("/v1/jobs", json=work | {"key": f"upgrade-{number}"})
            .raise_for_status()
            .json()
        )
        _await_job(client, accepted["job_id"])
        content.keep(client, f"/v1/jobs/{accepted['job_id']}")
    accepted = (
        client.post("/v1/documents", files={"file": ("tarif.md", FILE)}).raise_for_status().json()
    )
    for document in _await_job(client, accepted["job"]["job_id"])["reply"]["documents"]:
        content.files[f"/v1/documents/{document['document_id']}/file"] = FILE
        content.keep(client, f"/v1/documents/{document['document_id']}/passages")
    for address in (
        "/v1/sites/home",
        SERIES,
        "/v1/sites/home/scores",
        "/v1/sites/home/forecast-versions/card",
    ):
        content.keep(client, address)
    add_plan(client, content, soc=0.2)
    return content


def add_plan(client: httpx.Client, content: Content, *, soc: float) -> None:
    """Ask for a plan and remember it."""
    request = json.loads((ROOT / "examples/plan_request.json").read_text(encoding="utf-8")) | {
        "state": {"batteries": {"battery": {"soc": soc}}}
    }
    reply = client.post("/v1/plans", json=request).raise_for_status().json()
    content.keep(client, f"/v1/plans/{reply['plan_id']}")


def count_missing(client: httpx.Client, plans: list[str]) -> int:
    """Return how many of the plans that were answered are not stored."""
    return sum(not client.get(f"/v1/plans/{plan_id}").is_success for plan_id in plans)


def _await_job(client: httpx.Client, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + JOB_SECONDS
    while (job := client.get(f"/v1/jobs/{job_id}").raise_for_status().json())["status"] in (
        "queued",
        "running",
    ):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the job {job_id} does not end: {job}")
        time.sleep(0.3)
    if job["status"] != "done":
        raise RuntimeError(f"the job {job_id} failed: {job}")
    return dict(job)


def _find_fault(client: httpx.Client, address: str, was: Any) -> str:
    answer = client.get(address)
    return (
        next(_differences(was, answer.json()), "")
        if answer.is_success
        else f"answered {answer.status_code}"
    )


def _differences(was: Any, now: Any, at: str = "") -> Any:
    """Yield where a document does not say any more what it said."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name, value in was.items():
            yield from _differences(value, now.get(name), f"{at}.{name}")
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for place, (old, new) in enumerate(zip(was, now, strict=True)):
            yield from _differences(old, new, f"{at}[{place}]")
    elif was != now:
        yield f"{at or 'all'} was {str(was)[:80]}, is {str(now)[:80]}"
