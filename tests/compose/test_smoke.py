"""What every change has to leave working in the containers: they start, take readings, documents
and plans, and survive a worker's death.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from luna.energy.timeline import SLOT
from tests.compose.jobs import Jobs
from tests.compose.stack import FAST, JOBS, SLOW, Stack, run

SENTENCE = "Der Sommerbonus von Musterstrom beträgt 47 Euro und wird im September ausgezahlt."
TARIFF = (
    f"# Tarifblatt Musterstrom\n\n## Bonus\n\n{SENTENCE}\n\n## Kündigung\n\nDie "
    "Kündigungsfrist beträgt vier Wochen zum Monatsende.\n"
)
METER = "sensor.meter"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
YEAR_SLOTS = 35_040
LINK = """
import time
from pathlib import Path
from luna.drivers.modbus import ModbusLink
from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
folder = Path("/var/lib/luna")
profile = load_profile("sunspec_12x", folder)
link = ModbusLink("127.0.0.1", profile.transport, port=15020, shared_in=folder)
"""
HOLD = f"""{LINK}
with serve_registers(SimulatedInverter(profile), port=15020):
    link.read(40000, 2)
    time.sleep(120)
"""
READ = f"""{LINK}
while not (folder / "devices" / "socket").exists():
    time.sleep(0.1)
print(link.read(40000, 2))
"""


def add_site(api: httpx.Client, name: str, **more: object) -> None:
    api.post(
        "/v1/sites", json={"name": name, "timezone": "Europe/Berlin", **more}
    ).raise_for_status()


def hand_over(api: httpx.Client, site: str, kind: str, rows: str) -> str:
    """Have a file of series accepted and return the id of the job that loads it."""
    return str(
        api.post(
            f"/v1/sites/{site}/uploads", data={"kind": kind}, files={"file": ("meter.csv", rows)}
        )
        .raise_for_status()
        .json()["job_id"]
    )


def test_every_container_is_healthy_and_every_job_has_ended_well(stack: Stack) -> None:
    states = {
        each["Service"]: (each["State"], each["Health"], each["ExitCode"])
        for each in stack.containers()
    }
    assert {state for name, state in states.items() if name in JOBS} == {("exited", "", 0)}
    assert {
        name: state
        for name, state in states.items()
        if name not in JOBS and state[:2] != ("running", "healthy")
    } == {}
    assert set(states) == set(stack.compose("config", "--services").split())


def test_a_plan_is_made_and_can_be_read_again(
    api: httpx.Client, plan_request: dict[str, object]
) -> None:
    made = api.post("/plan", json=plan_request).raise_for_status().json()
    assert made["status"] == "optimal"
    assert api.get(f"/v1/plans/{made['plan_id']}").raise_for_status().json() == made


def test_a_reading_that_is_handed_over_is_stored_and_can_be_asked_for(
    stack: Stack, api: httpx.Client, jobs: Jobs
) -> None:
    add_site(api, "metered", input_sensors={"total_load_consumption": METER})
    jobs.wait(
        hand_over(
            api,
            "metered",
            "readings",
            f"instant,sensor,value,unit\n{FIRST.isoformat()},{METER},100.5,kWh\n",
        ),
        "done",
    )
    span = {"from": FIRST.isoformat(), "to": (FIRST + SLOT).isoformat()}
    answer = (
        api.get(f"/v1/sites/metered/series/sensor_readings:{METER}", params=span)
        .raise_for_status()
        .json()
    )
    assert [row["value"] for row in answer["rows"]] == [100.5]
    assert (
        stack.sql(
            "SELECT value FROM sensor_readings JOIN sensors USING (sensor_key) WHERE name "
            f"= '{METER}'"
        )
        == "100.5"
    )


def test_a_document_is_read_found_answered_from_and_gone_again(
    api: httpx.Client, jobs: Jobs
) -> None:
    (document,) = jobs.read_file("tarif.md", TARIFF.encode())
    assert (document["state"], document["current"], document["language"]) == (
        "searchable",
        True,
        "de",
    )
    found = (
        api.post("/v1/search", json={"query": "Wie hoch ist der Sommerbonus?"})
        .raise_for_status()
        .json()
    )
    # The models come with a profile of their own: without them words find, in Qdrant as well.
    assert (found["retriever"], found["passages"][0]["document_id"]) == (
        "sparse",
        document["document_id"],
    )
    answer = (
        api.post("/rag/ask", json={"question": "Wie hoch ist der Sommerbonus von Musterstrom?"})
        .raise_for_status()
        .json()
    )
    assert not answer["refused"]
    assert "47 Euro" in answer["answer"]
    assert answer["citations"][0]["document_id"] == document["document_id"]
    api.delete(f"/v1/documents/{document['document_id']}").raise_for_status()
    found = (
        api.post("/v1/search", json={"query": "Wie hoch ist der Sommerbonus?"})
        .raise_for_status()
        .json()
    )
    assert document["document_id"] not in {passage["document_id"] for passage in found["passages"]}


def test_a_file_whose_worker_is_killed_in_its_middle_is_loaded_by_its_successor(
    stack: Stack, api: httpx.Client, jobs: Jobs, recovered: Callable[[str, float], None]
) -> None:
    add_site(api, "filed")
    rows = "".join(f"{(FIRST + number * SLOT).isoformat()},0.5\n" for number in range(YEAR_SLOTS))
    stack.slow_down("ingest", SLOW)
    job_id = hand_over(api, "filed", "observations", f"slot_start,load_kwh\n{rows}")
    jobs.wait(job_id, "running", seconds=180)
    begun = time.monotonic()
    run("docker", "kill", "--signal", "KILL", stack.container("ingest"))
    stack.slow_down("ingest", FAST)
    stack.start("ingest")
    jobs.wait(job_id, "done", seconds=240)
    recovered(
        "the only worker of ingest killed in the middle of a file, the file loaded by its "
        "successor",
        time.monotonic() - begun,
    )
    job = jobs.state(job_id)
    assert (job["attempts"], job["reply"]["accepted"], job["reply"]["quarantined"]) == (
        2,
        YEAR_SLOTS,
        0,
    )
    assert (
        stack.sql(
            "SELECT count(*), sum(load_kwh) FROM slot_observations JOIN sites USING "
            "(site_key) WHERE name = 'filed'"
        )
        == f"{YEAR_SLOTS}|17520"
    )


def test_the_executor_speaks_to_a_device_by_the_connection_that_the_recorder_holds(
    stack: Stack,
) -> None:
    # At that address only the recorder's container has a device.
    stack.compose("exec", "--detach", "recorder", "python", "-c", HOLD)
    assert stack.python("executor", READ) == "[21365, 28243]"
