"""The gateway behind the real proxy, with the file that the containers use.

Skipped where there is no caddy on PATH.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from luna.platform.embedded.supervisor import Servers
from tests.support.gateway.people import NAMES, PASSWORD, Gate, gate_with_people
from tests.support.suite.tables import each_row
from tests.support.worker.processes import free_port
from tests.support.worker.workers import wait_for

CADDYFILE = Path(__file__).parents[3] / "infra/caddy/Caddyfile"
CADDY = shutil.which(os.environ.get("LUNA_CADDY", "caddy"))

pytestmark = pytest.mark.skipif(CADDY is None, reason="no caddy on PATH, and LUNA_CADDY names none")


def answers(proxy: httpx.Client) -> bool:
    try:
        return proxy.get("/health/live").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def gate(servers: Servers, redis_url: str) -> Iterator[Gate]:
    with gate_with_people(servers.database_url, redis_url, trusted_proxies="127.0.0.1") as gate:
        yield gate


@pytest.fixture(scope="module")
def proxy(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of caddy, which stands before the gateway."""
    folder = str(tmp_path_factory.mktemp("caddy"))
    port = free_port()
    own = {
        "LUNA_DOMAIN": f"http://127.0.0.1:{port}",
        "LUNA_GATEWAY": gate.client.base_url.netloc.decode(),
        "CADDY_ADMIN": f"127.0.0.1:{free_port()}",
    }
    words = [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    environment = (
        os.environ | own | {"HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
    )
    with (
        subprocess.Popen(
            words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process,
        httpx.Client(base_url=own["LUNA_DOMAIN"]) as client,
    ):
        wait_for(lambda: answers(client))
        yield client
        process.terminate()


@each_row(
    "lies",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"X-Real-IP": "203.0.113.9"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "localhost"},
    ],
    ids=str,
)
def test_what_a_caller_says_of_its_address_and_scheme_does_not_pass(
    gate: Gate, proxy: httpx.Client, lies: dict[str, str]
) -> None:
    answer = proxy.post(
        "/v1/auth/login", json={"name": NAMES["user"], "password": PASSWORD}, headers=lies
    )
    proxy.cookies.clear()
    assert (answer.status_code, "Secure" in answer.headers["set-cookie"]) == (200, False)
    assert gate.audit("sign_in")[0].address == "127.0.0.1"


def test_nobody_passes_as_this_machine_and_metrics_stay_inside(proxy: httpx.Client) -> None:
    said = [
        proxy.get(path, headers={"Host": f"127.0.0.1:{proxy.base_url.port}"}).status_code
        for path in ("/v1/users", "/health/services", "/metrics")
    ]
    assert said == [401, 401, 404]


def test_long_bodies_are_refused_and_headers_arrive(gate: Gate, proxy: httpx.Client) -> None:
    headers = gate.key("user", "operate") | {"content-type": "application/json"}
    assert proxy.post("/plan", content=b" " * 6_000_000, headers=headers).status_code == 413
    assert "default-src 'self'" in proxy.get("/health/live").headers["content-security-policy"]
