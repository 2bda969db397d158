"""What an owner sees of the running platform, through the ports that are published."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.compose.jobs import Jobs
from tests.compose.stack import ROOT, Stack, run, wait_for

pytestmark = pytest.mark.usefixtures("demo_begun")
WORKERS = ("planner", "forecaster", "ingest", "agent", "rag", "notifier")
OURS = ("api", "beat", *WORKERS)
# Recorder and executor serve no queue; Home Assistant is told of nothing before a broker is named.
SERVICES = (*OURS, "recorder", "executor")
CONTAINERS = (
    *SERVICES,
    "planner-jobs",
    "forecaster-interactive",
    "agent-interactive",
    "rag-interactive",
    "home-assistant",
    "backup",
)
OUTSIDE = ("ingest", "recorder", "executor", "rag", "rag-interactive", "notifier", "home-assistant")


def test_the_gateway_tells_how_every_service_is(stack: Stack) -> None:
    # Healthy is a process that lives; a worker that was just started gives its first sign within
    # seconds.
    wait_for(
        lambda: all(service["ready"] for service in stack.services().values()),
        seconds=180,
        what="every service is ready",
    )
    said = stack.services()
    assert set(said) - {"home_assistant"} == set(SERVICES)
    own = {"heartbeat", "messages"}
    checks = {
        name: {check["name"] for check in said[name]["instances"][0]["checks"]} - own
        for name in WORKERS
    }
    assert checks["planner"] == checks["notifier"] == {"database", "redis"}
    assert (
        checks["forecaster"]
        == checks["ingest"]
        == checks["agent"]
        == {"database", "redis", "objects"}
    )
    assert checks["rag"] == {"database", "redis", "objects", "vectors", "language"}


def test_the_recorder_waits_in_good_health_while_no_source_is_configured(stack: Stack) -> None:
    ready = json.loads(
        stack.python(
            "recorder",
            "import urllib.request as web; "
            "print(web.urlopen('http://127.0.0.1:9100/health/ready').read().decode())",
        )
    )
    assert {check["name"] for check in ready["checks"]} == {
        "heartbeat",
        "database",
        "redis",
        "sources",
    }


def test_bad_input_is_refused_with_a_remedy(
    api: httpx.Client, plan_request: dict[str, object]
) -> None:
    refused = api.post("/plan", json=plan_request | {"slot_minutes": 7})
    assert (refused.status_code, refused.json()["field"]) == (422, "slot_minutes")


def test_only_gateway_and_grafana_can_be_reached_and_only_from_this_machine(stack: Stack) -> None:
    ports = [
        (each["Service"], port["URL"], port["PublishedPort"])
        for each in stack.containers()
        for port in each["Publishers"] or []
    ]
    assert {port for port in ports if port[2]} == {
        ("api", "127.0.0.1", stack.api_port),
        ("grafana", "127.0.0.1", stack.grafana_port),
    }


@pytest.mark.parametrize("service", CONTAINERS)
def test_a_service_has_no_rights_that_it_does_not_need(stack: Stack, service: str) -> None:
    status = stack.execute(service, "sh", "-c", "cat /proc/1/status; touch /opt/app/x 2>&1; true")
    assert re.search(r"^Name:\ttini$", status, re.MULTILINE)
    assert re.search(r"^Uid:\t10001\t10001", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert "Read-only file system" in status


@pytest.mark.parametrize("service", CONTAINERS)
def test_no_secret_shows_in_what_the_engine_tells(stack: Stack, service: str) -> None:
    known = json.dumps(stack.inspect(service))
    secrets = [path.read_text().strip() for path in (stack.folder / "secrets").iterdir()]
    assert not [secret for secret in secrets if secret and secret in known]


@pytest.mark.parametrize("service", CONTAINERS)
def test_only_those_that_fetch_have_a_way_out(stack: Stack, service: str) -> None:
    networks = json.loads(
        run("docker", "network", "inspect", *stack.inspect(service)["NetworkSettings"]["Networks"])
    )
    outgoing = {network["Name"] for network in networks if not network["Internal"]}
    own_way = (
        {f"{stack.project}_egress"}
        if service in OUTSIDE
        else {f"{stack.project}_edge"}
        if service == "api"
        else set()
    )
    assert outgoing == own_way


def test_the_demo_runs_through_the_containers_and_writes_its_report(
    stack: Stack, demo: Path
) -> None:
    assert "<svg" in (demo / "report.html").read_text(encoding="utf-8")
    assert stack.sql("SELECT count(*) FROM slot_observations") == str(2 * 35_040)
    assert stack.sql("SELECT count(*) FROM training_runs") == "2"
    assert int(stack.sql("SELECT count(*) FROM slot_forecasts")) > 0
    assert int(stack.sql("SELECT count(*) FROM daily_scores")) > 0


@pytest.mark.usefixtures("demo")
def test_the_trained_models_lie_in_the_bucket(stack: Stack) -> None:
    listing = (
        "from luna.platform.settings import load_settings; from luna.platform.objects "
        "import open_objects; "
        "from luna.platform.database import engine; from sqlalchemy import text; "
        "settings = load_settings(); pool = "
        "engine.create(settings.database_url.get_secret_value()); "
        "keys = [row[0] for row in pool.connect().execute(text('SELECT artefact_key FROM "
        "training_runs'))]; "
        "print(len(keys), all(open_objects(settings).get(key) for key in keys))"
    )
    assert stack.python("forecaster", listing) == "2 True"


def test_two_migrations_at_once_do_not_collide(stack: Stack) -> None:
    with ThreadPoolExecutor(2) as pool:
        said = list(
            pool.map(
                lambda _: stack.compose(
                    "run", "--rm", "-T", "--no-deps", "migrate", "luna", "db", "upgrade", "--json"
                ),
                range(2),
            )
        )
    assert len({json.loads(each)["revision"] for each in said}) == 1


@pytest.mark.usefixtures("demo")
def test_a_task_that_has_begun_is_finished_before_a_worker_ends(healthy: Stack, jobs: Jobs) -> None:
    job_id = jobs.begin("planner-jobs")
    jobs.wait(job_id, "running", seconds=180)
    healthy.compose("stop", "planner-jobs")
    assert healthy.inspect("planner-jobs")["State"]["ExitCode"] == 0
    job = jobs.state(job_id)
    assert (job["status"], job["attempts"]) == ("done", 1)


def test_every_scrape_target_is_up_and_the_alert_rules_hold_their_own_tests(stack: Stack) -> None:
    def targets() -> dict[str, str]:
        found = json.loads(
            stack.execute(
                "prometheus", "wget", "-q", "-O", "-", "http://127.0.0.1:9090/api/v1/targets"
            )
        )["data"]["activeTargets"]
        return {
            f"{each['labels']['job']} {each['scrapeUrl']}": each["lastError"]
            for each in found
            if each["health"] != "up"
        }

    wait_for(lambda: not targets(), seconds=180, what="every target is up")
    tests = [path.name for path in (ROOT / "infra/prometheus/tests").glob("*.yml")]
    assert tests
    stack.execute(
        "prometheus",
        "promtool",
        "test",
        "rules",
        *(f"/etc/prometheus/tests/{name}" for name in tests),
    )


def test_what_a_service_says_can_be_found_in_the_logs(
    stack: Stack, api: httpx.Client, plan_request: dict[str, object]
) -> None:
    trace = "composetest0123456789"
    api.post("/plan", json=plan_request, headers={"X-Trace-Id": trace}).raise_for_status()
    query = (
        "http://127.0.0.1:3100/loki/api/v1/query_range?limit=10&query="
        f"%7Bservice%3D%22api%22%7D%20%7C%3D%20%22{trace}%22"
    )

    def found() -> bool:
        return trace in json.dumps(
            json.loads(stack.execute("loki", "wget", "-q", "-O", "-", query))["data"]["result"]
        )

    wait_for(found, seconds=180, what="the gateway's line about the request is in Loki")


def test_grafana_shows_the_platform_to_those_who_know_the_password(stack: Stack) -> None:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{stack.grafana_port}",
        auth=("admin", stack.secret("grafana_password")),
    ) as grafana:
        sources = grafana.get("/api/datasources").raise_for_status().json()
        assert {
            grafana.get(f"/api/datasources/uid/{source['uid']}/health").json()["status"]
            for source in sources
        } == {"OK"}
        boards = {
            json.loads(path.read_text(encoding="utf-8"))["uid"]
            for path in (ROOT / "infra/grafana/dashboards").glob("*.json")
        }
        assert {
            board["uid"] for board in grafana.get("/api/search").raise_for_status().json()
        } >= boards
        assert (
            grafana.get("/api/search", auth=("admin", "admin")).status_code
            == httpx.codes.UNAUTHORIZED
        )


def test_the_gateway_asks_who_calls_and_the_first_user_is_the_one_of_the_secrets(
    stack: Stack,
) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.api_port}") as nobody:
        assert [
            nobody.get(path).status_code
            for path in ("/health/live", "/health/ready", "/v1/users", "/metrics")
        ] == [200, 200, 401, 401]
        answer = nobody.post(
            "/v1/auth/login", json={"name": "admin", "password": stack.secret("admin_password")}
        )
        assert (answer.status_code, answer.json()["role"]) == (200, "admin")
