"""An alert's whole way: a figure, Prometheus with the rules as delivered, Alertmanager, a webhook and a mail server.

Wants the programs themselves: LUNA_PROMETHEUS and LUNA_ALERTMANAGER, or ``prometheus`` and ``prometheus-alertmanager`` on PATH.
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

from tests.support.metrics.promql import ROOT
from tests.support.worker.processes import free_port
from tests.support.worker.workers import wait_for

PROMETHEUS = os.environ.get("LUNA_PROMETHEUS") or shutil.which("prometheus")
ALERTMANAGER = os.environ.get("LUNA_ALERTMANAGER") or shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = pytest.mark.skipif(
    PROMETHEUS is None or ALERTMANAGER is None, reason="Prometheus and Alertmanager are not here: apt install prometheus prometheus-alertmanager"
)
INFRA = ROOT / "infra"


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
                self.wfile.write(b"250-mail\r\n250 8BITMIME\r\n" if verb == "EHLO" else b"250 OK\r\n")

    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def alertmanager_config(webhook: int, mail: int) -> dict[str, Any]:
    """The delivered configuration with both ways uncommented, at addresses of this test, and without its pauses."""
    text = (INFRA / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text.replace("\n    # ", "\n    "))
    operator = config["receivers"][1]
    operator["webhook_configs"] = [{"url": f"http://127.0.0.1:{webhook}/alert", "send_resolved": True}]
    kept = {name: operator["email_configs"][0][name] for name in ("to", "from", "send_resolved")}
    operator["email_configs"] = [kept | {"smarthost": f"127.0.0.1:{mail}", "require_tls": False}]
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    return config


def prometheus_config(figures: int, alertmanager: int) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((INFRA / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(INFRA / "prometheus" / "rules" / "*.yml")]
    config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{alertmanager}"]}]
    config["scrape_configs"] = [{"job_name": "trial", "static_configs": [{"targets": [f"127.0.0.1:{figures}"], "labels": {"service": "api"}}]}]
    return config


def test_an_alert_reaches_webhook_and_mailbox_with_its_runbook(tmp_path: Path) -> None:
    received: list[dict[str, Any]] = []
    mails: list[str] = []
    with ExitStack() as stack:
        # A dead task alerts at once; a model that does not answer is information, which nobody is sent.
        figures = "luna_queue_dead_tasks 2\n"
        sink, mail = stack.enter_context(listening(received, figures)), stack.enter_context(mail_server(mails))
        manager, prometheus = free_port(), free_port()
        for name, config in (("alertmanager", alertmanager_config(sink, mail)), ("prometheus", prometheus_config(sink, manager))):
            (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
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
        wait_for(lambda: any("DeadTasks" in json.dumps(message) for message in received) and any("DeadTasks" in mail for mail in mails), 60)
    told = next(message for message in received if message["groupLabels"]["alertname"] == "DeadTasks")
    (alert,) = told["alerts"]
    assert (told["status"], alert["labels"]["severity"]) == ("firing", "ticket")
    assert alert["annotations"]["summary"] == "Work that ended its worker each time is not tried again; 2 in all."
    assert (ROOT / alert["annotations"]["runbook_url"]).is_file()
    assert any("docs/runbooks/dead-tasks.md" in mail for mail in mails)
