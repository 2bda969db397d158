"""Alert rules: complete, tested, with a runbook each, and about figures that exist."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.metrics.promql import ROOT, VENDORS, declared, read_by
from tests.support.suite.tables import each_row

PROMETHEUS = ROOT / "infra" / "prometheus"
PROMTOOL = os.environ.get("LUNA_PROMTOOL") or shutil.which("promtool")
# promtool comes with Prometheus; the containers' tests run the one in its image.
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not on PATH and LUNA_PROMTOOL does not name it"
)


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TEST_FILES = sorted((PROMETHEUS / "tests").glob("*.yml"))
ALERTS = {
    rule["alert"]: rule
    for path in RULE_FILES
    for group in load(path)["groups"]
    for rule in group["rules"]
}
COMPOSE = load(ROOT / "docker-compose.yml")["services"]
every_alert = each_row("rule", ALERTS.values(), ids=ALERTS)


def names_in(matchers: list[str]) -> set[str]:
    """The alerts that an inhibition's matchers name."""
    return {
        name
        for matcher in matchers
        if matcher.startswith("alertname")
        for name in matcher.split('"')[1].split("|")
    }


def workers() -> set[str]:
    """The services that serve health and metrics on a port of their own."""
    return {
        name for name, service in COMPOSE.items() if "--health-port" in service.get("command", [])
    }


@every_alert
def test_an_alert_says_how_urgent_it_is_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket", "info"}
    assert rule["annotations"]["summary"].endswith(".")
    assert (ROOT / rule["annotations"]["runbook_url"].partition("#")[0]).is_file()


@every_alert
def test_an_alert_judges_figures_that_exist(rule: dict[str, Any]) -> None:
    assert read_by(rule["expr"]) <= declared() | VENDORS


def test_every_runbook_is_that_of_an_alert_and_stands_in_the_list() -> None:
    folder = ROOT / "docs" / "runbooks"
    pages = {path.name for path in folder.glob("*.md")} - {"README.md"}
    assert {
        Path(rule["annotations"]["runbook_url"].partition("#")[0]).name for rule in ALERTS.values()
    } == pages
    assert (
        set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
        == pages
    )


def test_every_alert_is_seen_to_fire_and_every_rule_file_is_tested() -> None:
    cases = [
        case
        for path in TEST_FILES
        for test in load(path)["tests"]
        for case in test["alert_rule_test"]
    ]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == set(ALERTS)
    assert [path.name for path in TEST_FILES] == [path.name for path in RULE_FILES]


def test_what_holds_alerts_back_names_alerts_that_exist() -> None:
    inhibitions = load(ROOT / "infra" / "alertmanager" / "alertmanager.yml")["inhibit_rules"]
    named = set().union(
        *(
            names_in(rule["source_matchers"]) | names_in(rule["target_matchers"])
            for rule in inhibitions
        )
    )
    assert named <= set(ALERTS)


def matches(matcher: str, values: dict[str, str]) -> bool:
    """Return whether an alert's labels fulfil a matcher."""
    found = re.fullmatch(r'(\w+) (=|=~|!~) "(.+)"', matcher)
    assert found is not None, matcher
    fits = re.fullmatch(found[3], values[found[1]]) is not None
    return not fits if found[2] == "!~" else fits


def receivers_of(settings: Any, alert: str, severity: str) -> list[str]:
    """Return which receivers an alert of one severity reaches, by the routes' own rules."""
    reached = []
    for route in settings["route"]["routes"]:
        values = {"alertname": alert, "severity": severity}
        if all(matches(matcher, values) for matcher in route.get("matchers", [])):
            reached.append(route["receiver"])
            if not route.get("continue"):
                break
    return reached


@each_row(
    ("alert", "severity", "reached"),
    [
        ("LanguageModelDown", "info", ["nobody"]),
        ("DeadTasks", "ticket", ["luna"]),
        ("DiskFull", "page", ["direct", "luna"]),
        ("AlertsNotSent", "ticket", ["direct", "luna"]),
        ("NoLiveWorker", "ticket", ["direct", "luna"]),
        ("ServiceDown", "page", ["direct", "luna"]),
    ],
)
def test_every_alert_goes_through_luna_and_what_may_stop_luna_past_it_too(
    alert: str, severity: str, reached: list[str]
) -> None:
    settings = load(ROOT / "infra" / "alertmanager" / "alertmanager.yml")
    assert receivers_of(settings, alert, severity) == reached


def test_what_may_stop_luna_from_telling_names_alerts_that_exist() -> None:
    settings = load(ROOT / "infra" / "alertmanager" / "alertmanager.yml")
    named = set().union(
        *(names_in(route.get("matchers", [])) for route in settings["route"]["routes"])
    )
    assert named <= set(ALERTS)
    assert named >= {"ServiceDown", "QueueUnreachable", "BeatFrozen", "AlertsNotSent"}


@each_row(
    ("address", "ways"),
    [("", 0), ("\n", 0), ("https://ntfy.example/a&b|c\n", 1)],
    ids=["empty", "blank", "given"],
)
def test_the_direct_way_is_there_where_an_address_is_given(
    tmp_path: Path, address: str, ways: int
) -> None:
    secret = tmp_path / "alert_url"
    made = tmp_path / "made.yml"
    secret.write_text(address, encoding="utf-8")
    folder = ROOT / "infra" / "alertmanager"
    places = {
        "LUNA_ALERTMANAGER_FOLDER": str(folder),
        "LUNA_ALERT_URL_FILE": str(secret),
        "LUNA_ALERTMANAGER_MADE": str(made),
    }
    subprocess.run(["sh", str(folder / "start")], check=True, env=os.environ | places)
    receivers = {receiver["name"]: receiver for receiver in load(made)["receivers"]}
    direct = receivers["direct"].get("webhook_configs", [])
    assert direct == [{"url_file": str(secret), "send_resolved": True}] * ways
    # Everything else is as it was.
    assert load(made) | {"receivers": []} == load(folder / "alertmanager.yml") | {"receivers": []}
    assert "ntfy" not in made.read_text(encoding="utf-8")


def test_every_worker_is_measured_and_missed() -> None:
    scraped = next(
        job
        for job in load(PROMETHEUS / "prometheus.yml")["scrape_configs"]
        if job["job_name"] == "workers"
    )
    missed = set(re.findall(r'absent\(up\{service="([\w-]+)"\}\)', ALERTS["ServiceDown"]["expr"]))
    assert set(scraped["dns_sd_configs"][0]["names"]) == workers()
    assert missed == workers() | {"api"}


def test_every_static_target_is_a_service_under_its_own_name() -> None:
    jobs = load(PROMETHEUS / "prometheus.yml")["scrape_configs"]
    targets = [
        (target.partition(":")[0], group["labels"]["service"])
        for job in jobs
        for group in job.get("static_configs", [])
        for target in group["targets"]
    ]
    assert {service for _, service in targets} <= set(COMPOSE)
    assert all(host in {service, "localhost"} for host, service in targets)


@needs_promtool
def test_prometheus_accepts_configuration_and_rules(tmp_path: Path) -> None:
    # Where the rules lie in the container.
    config = tmp_path / "prometheus.yml"
    config.write_text(
        (PROMETHEUS / "prometheus.yml")
        .read_text(encoding="utf-8")
        .replace("/etc/prometheus/", f"{PROMETHEUS}/"),
        encoding="utf-8",
    )
    said = subprocess.run(
        [str(PROMTOOL), "check", "config", "--syntax-only", str(config)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr


@needs_promtool
def test_alerts_fire_when_they_should_and_only_then() -> None:
    said = subprocess.run(
        [str(PROMTOOL), "test", "rules", *map(str, TEST_FILES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
