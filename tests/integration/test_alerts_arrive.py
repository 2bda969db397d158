"""An alert's whole way: a figure, Prometheus with the rules as delivered, Alertmanager, the
gateway, a mail server; and the way past the gateway.

Wants the programs themselves: LUNA_PROMETHEUS and LUNA_ALERTMANAGER, or ``prometheus`` and
``prometheus-alertmanager`` on PATH.
"""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import Engine, text

from luna.platform.clock import SystemClock
from luna.platform.database import notifications
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from services.notifier import notification
from tests.support.gateway.server import serve
from tests.support.metrics.promql import ROOT
from tests.support.worker.processes import free_port
from tests.support.worker.workers import wait_for

PROMETHEUS = os.environ.get("LUNA_PROMETHEUS") or shutil.which("prometheus")
ALERTMANAGER = (
    os.environ.get("LUNA_ALERTMANAGER")
    or shutil.which("prometheus-alertmanager")
    or shutil.which("alertmanager")
)
pytestmark = pytest.mark.skipif(
    PROMETHEUS is None or ALERTMANAGER is None,
    reason=(
        "Prometheus and Alertmanager are not here: apt install prometheus prometheus-alertmanager"
    ),
)
INFRA = ROOT / "infra"
MONITOR = "a-token-of-monitors" * 2


@contextmanager
def program(*command: str, ready: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(ready))
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@contextmanager
def listening(received: list[dict[str, Any]], figures: str) -> Iterator[int]:
    """Serve figures to Prometheus, and take what Alertmanager posts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(figures.encode())

        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def mail_server(mails: list[str]) -> Iterator[int]:
    """Take mails as a server without encryption does, as far as Alertmanager speaks to it."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail\r\n")
            while verb := self.rfile.readline().decode().strip().upper().partition(" ")[0]:
                if verb == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mails.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
                self.wfile.write(
                    b"250-mail\r\n250 8BITMIME\r\n" if verb == "EHLO" else b"250 OK\r\n"
                )

    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def alertmanager_config(folder: Path, gateway: int, direct: int) -> str:
    """Return the configuration as delivered, made by its start script, at addresses of this test
    and without its pauses.
    """
    address = folder / "alert_url"
    made = folder / "alertmanager.yml"
    address.write_text(f"http://127.0.0.1:{direct}/alert", encoding="utf-8")
    (folder / "monitor_token").write_text(MONITOR, encoding="utf-8")
    delivered = INFRA / "alertmanager"
    places = {
        "LUNA_ALERTMANAGER_FOLDER": str(delivered),
        "LUNA_ALERT_URL_FILE": str(address),
        "LUNA_ALERTMANAGER_MADE": str(made),
    }
    subprocess.run(["sh", str(delivered / "start")], check=True, env=os.environ | places)
    text = made.read_text(encoding="utf-8").replace("/run/secrets/", f"{folder}/")
    config: dict[str, Any] = yaml.safe_load(
        text.replace("http://api:8080", f"http://127.0.0.1:{gateway}")
    )
    # Debian's Alertmanager is older than the image's, and reads no address from a file.
    (way,) = next(each for each in config["receivers"] if each["name"] == "direct")[
        "webhook_configs"
    ]
    way["url"] = Path(way.pop("url_file")).read_text(encoding="utf-8")
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    return yaml.safe_dump(config)


def prometheus_config(figures: int, alertmanager: int) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(
        (INFRA / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    )
    config["global"] = {
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "evaluation_interval": "1s",
    }
    config["rule_files"] = [str(INFRA / "prometheus" / "rules" / "*.yml")]
    config["alerting"]["alertmanagers"][0]["static_configs"] = [
        {"targets": [f"127.0.0.1:{alertmanager}"]}
    ]
    config["scrape_configs"] = [
        {
            "job_name": "trial",
            "static_configs": [{"targets": [f"127.0.0.1:{figures}"], "labels": {"service": "api"}}],
        }
    ]
    return config


@pytest.fixture
def gateway(database_url: str, database: Engine, redis_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url, redis_url), monitor_token=MONITOR) as client:
        yield client
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM notifications WHERE site_key IS NULL"))
        connection.execute(text("DELETE FROM notification_channels"))


def test_an_alert_reaches_the_owners_channels_and_what_stops_luna_goes_past_it(
    tmp_path: Path, gateway: httpx.Client, database: Engine
) -> None:
    received: list[dict[str, Any]] = []
    mails: list[str] = []
    with ExitStack() as stack:
        # Dead tasks are told through Luna; beat that stands still goes past it, too.
        figures = "luna_queue_dead_tasks 2\nluna_beat_age_seconds 1000\n"
        sink = stack.enter_context(listening(received, figures))
        mail = stack.enter_context(mail_server(mails))
        address = f"mailto://127.0.0.1:{mail}/?from=luna@example.org&to=you@example.org"
        channel = {"name": "mail", "address": address, "events": ["system"]}
        assert gateway.post("/v1/notifications/channels", json=channel).status_code == 201
        manager = free_port()
        prometheus = free_port()
        alerting = alertmanager_config(tmp_path, gateway.base_url.port or 0, sink)
        (tmp_path / "alertmanager.yml").write_text(alerting, encoding="utf-8")
        measuring = yaml.safe_dump(prometheus_config(sink, manager))
        (tmp_path / "prometheus.yml").write_text(measuring, encoding="utf-8")
        stack.enter_context(
            program(
                str(ALERTMANAGER),
                f"--config.file={tmp_path}/alertmanager.yml",
                f"--storage.path={tmp_path}/alerts",
                "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{manager}",
                ready=f"http://127.0.0.1:{manager}/-/ready",
            )
        )
        stack.enter_context(
            program(
                str(PROMETHEUS),
                f"--config.file={tmp_path}/prometheus.yml",
                f"--storage.tsdb.path={tmp_path}/metrics",
                f"--web.listen-address=127.0.0.1:{prometheus}",
                ready=f"http://127.0.0.1:{prometheus}/-/ready",
            )
        )
        wait_for(
            lambda: len(stored_alerts(database)) > 0 and "BeatFrozen" in alerts_of(received), 120
        )
        settings = Settings()
        targets = notification.list_targets(database, settings)
        notification.notify(database, targets, settings, now=SystemClock().now())
    assert (
        "Tasks given up because they stopped their worker each time: 2."
        in stored_alerts(database)[0]
    )
    assert any("docs/runbooks/dead-tasks.md" in mail for mail in mails)
    assert "DeadTasks" not in alerts_of(received)
    assert all(
        (ROOT / alert["annotations"]["runbook_url"]).is_file()
        for message in received
        for alert in message["alerts"]
    )


def alerts_of(received: list[dict[str, Any]]) -> set[str]:
    """Return the names of the alerts that came past the gateway."""
    return {message["groupLabels"]["alertname"] for message in list(received)}


def stored_alerts(database: Engine) -> list[str]:
    """Return the texts of stored faults of dead tasks."""
    with unit_of_work(database) as connection:
        listed = notifications.list_newest(connection, limit=100)
    return [each.text for each in listed if each.site is None and "DeadTasks" in each.text]
