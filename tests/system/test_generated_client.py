"""A client that openapi-python-client makes of the gateway's description: made without a warning,
and used.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from services.api.app import create_app
from tests.integration.test_resources import store_house
from tests.support.database.databases import remove_site
from tests.support.gateway.server import OWNER_TOKEN, serve

# It wants older libraries than Luna's commands, so make setup gives it an environment of its own.
GENERATOR = Path(sys.prefix) / "client-generator/bin/openapi-python-client"


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    """A gateway with a stored site and its plan."""
    store_house(database, "generated", hours=1)
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client
    remove_site(database, "generated")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the generator said; its package ``luna_client`` can be imported."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(
        json.dumps(create_app(Settings()).openapi()), encoding="utf-8"
    )
    # A picture is bytes to who knows no pictures.
    told = (
        "package_name_override: luna_client\nproject_name_override: made\npost_hooks: []\n"
        "content_type_overrides:\n  image/svg+xml: application/octet-stream\n"
    )
    (folder / "config.yaml").write_text(told, encoding="utf-8")
    command = [
        str(GENERATOR),
        "generate",
        "--path",
        "openapi.json",
        "--config",
        "config.yaml",
        "--meta",
        "none",
    ]
    said = subprocess.run(
        [*command, "--output-path", "luna_client", "--fail-on-warning"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    sys.path.insert(0, str(folder))
    yield said.stdout + said.stderr if said.returncode else ""
    sys.path.remove(str(folder))


def ask(operation: str, api: httpx.Client, **parameters: Any) -> Any:
    """Return what the generated function of an operation returns."""
    with importlib.import_module("luna_client").AuthenticatedClient(
        base_url=str(api.base_url), token=OWNER_TOKEN, raise_on_unexpected_status=True
    ) as client:
        return importlib.import_module(f"luna_client.api.{operation}").sync(
            client=client, **parameters
        )


def test_the_client_is_made_without_a_warning(made: str) -> None:
    assert made == ""


@pytest.mark.usefixtures("made")
def test_the_client_lists_sites_and_reads_a_plan(api: httpx.Client) -> None:
    sites = ask("sites.list_sites", api)
    plans = ask("plans.list_plans", api, site_id="generated")
    plan = ask("plans.read_plan", api, plan_id=plans.plans[0].plan_id)
    assert "generated" in [site.name for site in sites.sites]
    assert (plan.plan_id, plan.site, len(plan.slots)) == (plans.plans[0].plan_id, "generated", 192)
