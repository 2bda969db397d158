"""Assistants ask for tools by the Model Context Protocol, over HTTP with a key and on a command's
standard input; both with the protocol's own client.
"""

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from math import fsum
from pathlib import Path
from typing import Any

import anyio
import httpx2
import numpy as np
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from luna.contracts.search import SearchRequest
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from luna.platform.queue import Client as QueueClient
from services.api.assistants import DECLARED
from services.rag.tools.registry import TOOLS
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.gateway.people import FOREIGN, GENEROUS, OWN, Gate, gate_with_people
from tests.support.pages.random_home import MARKET, furnish_told
from tests.support.suite.tables import each_row
from tests.support.worker.workers import wait_for, worker_process

YESTERDAY = {"first_day": "2024-04-01"}
COMMAND = str(Path(sys.executable).with_name("luna"))


@pytest.fixture(scope="module")
def gate(servers: Servers, redis_url: str) -> Iterator[Gate]:
    """A gateway with a worker of the knowledge service behind it.

    The first site is furnished, the second is somebody else's.
    """
    settings = GENEROUS | {"plan_timeout": timedelta(seconds=30)}
    with gate_with_people(servers.database_url, redis_url, **settings) as gate:
        with unit_of_work(gate.database) as connection:
            furnish_told(connection, name=OWN)
        url = gate.database.url.render_as_string(hide_password=False)
        client = QueueClient(redis_url)
        with worker_process(redis_url, url, "services.rag.tasks"):
            wait_for(lambda: client.is_served(SearchRequest, interactive=True))
            yield gate
        client.close()


@asynccontextmanager
async def connect(gate: Gate, headers: dict[str, str]) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers=headers, timeout=40, verify=NO_CERTIFICATES) as http:
        address = str(gate.client.base_url).rstrip("/") + "/mcp"
        async with Client(streamable_http_client(address, http_client=http)) as client:
            yield client


def call(
    gate: Gate, tool: str, arguments: dict[str, Any], headers: dict[str, str] | None = None
) -> CallToolResult:
    async def ask() -> CallToolResult:
        async with connect(gate, headers or gate.key("user")) as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(ask)


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def test_an_assistant_finds_every_tool_and_is_told_that_it_reads(gate: Gate) -> None:
    async def ask() -> Any:
        async with connect(gate, gate.key("user")) as client:
            return await client.list_tools()

    tools = anyio.run(ask).tools
    assert {tool.name for tool in tools} == {*TOOLS, *DECLARED, "search_documents"}
    assert all(
        tool.annotations.read_only_hint and tool.annotations.destructive_hint is False
        for tool in tools
    )
    assert all(tool.input_schema["type"] == "object" for tool in tools)


def test_an_assistant_is_told_what_the_routes_return(gate: Gate) -> None:
    result = call(gate, "price_course", YESTERDAY | {"price": "spot"})
    assert not result.is_error
    figures = {figure["name"]: figure["value"] for figure in result.structured_content["figures"]}
    path = next(source["path"] for source in result.structured_content["sources"])
    rows = gate.client.get(path, headers=gate.key("user")).json()["rows"]
    values = [row["value"] for row in rows]
    assert len(values) == 96
    assert figures["mean_spot_price"] == fsum(values) / 96
    assert (figures["lowest_price"], figures["highest_price"]) == (min(values), max(values))
    assert MARKET in text_of(result)


def test_prices_and_energies_are_those_of_their_routes(gate: Gate) -> None:
    headers = gate.key("user")
    prices = call(gate, "price_course", YESTERDAY).structured_content
    told = {figure["name"]: figure["value"] for figure in prices["figures"]}
    rows = gate.client.get(prices["sources"][0]["path"], headers=headers).json()["prices"]
    assert told["mean_import_price"] == fsum(row["import_price"] for row in rows) / len(rows)
    energies = call(gate, "energy_query", YESTERDAY | {"language": "de"}).structured_content
    told = {figure["name"]: figure["value"] for figure in energies["figures"]}
    for source, name in zip(
        energies["sources"], ("load", "pv", "import", "export", "charge", "discharge"), strict=True
    ):
        rows = gate.client.get(source["path"], headers=headers).json()["rows"]
        assert told[f"{name}_kwh"] == fsum(
            row["value"] for row in rows if row["value"] is not None
        ), name


def test_what_is_declared_and_reads_is_a_tool_that_says_what_its_route_says(gate: Gate) -> None:
    headers = gate.key("user")
    block = {
        "device": "battery 2",
        "action": "hold",
        "from": "2099-07-01T04:00",
        "to": "2099-07-01T06:00",
    }
    added = gate.client.post(
        f"/v1/sites/{OWN}/manual-blocks", json=block, headers=gate.key("admin", "operate")
    )
    assert added.status_code == 201, added.text
    routes = {
        "list_manual_blocks": "manual-blocks",
        "list_decisions": "control/decisions",
        "read_control": "control",
        "list_devices": "devices",
    }
    for tool, path in routes.items():
        result = call(gate, tool, {})
        assert not result.is_error, text_of(result)
        assert (
            result.structured_content
            == gate.client.get(f"/v1/sites/{OWN}/{path}", headers=headers).json()
        ), tool
    assert (
        call(gate, "list_manual_blocks", {}).structured_content["blocks"][0]["device"]
        == "battery 2"
    )


def test_a_tool_is_called_by_its_route_as_well(gate: Gate) -> None:
    headers = gate.key("user")
    assert {
        tool["name"] for tool in gate.client.get("/v1/tools", headers=headers).json()["tools"]
    } == set(TOOLS)
    answer = gate.client.post(
        "/v1/tools/energy_query",
        json={"site_id": OWN, "arguments": YESTERDAY, "language": "de"},
        headers=headers,
    )
    assert answer.json()["found"]
    assert answer.json()["text"].startswith(
        "Am 1. Apr. 2024: ".replace(". ", ".\u00a0")
        .replace(" 2024", "\u00a02024")
        .replace("Am\u00a0", "Am ")
    )
    foreign = gate.client.post(
        "/v1/tools/energy_query", json={"site_id": FOREIGN, "arguments": YESTERDAY}, headers=headers
    )
    unknown = gate.client.post("/v1/tools/nothing", json={"site_id": OWN}, headers=headers)
    wrong = gate.client.post(
        "/v1/tools/energy_query",
        json={"site_id": OWN, "arguments": {"first_day": "never"}},
        headers=headers,
    )
    assert [foreign.status_code, unknown.status_code, wrong.status_code] == [404, 404, 422]
    assert "first_day" in wrong.json()["remedy"]
    assert gate.client.get("/v1/tools").status_code == 401


def test_a_wrong_key_gets_nothing(gate: Gate) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    for headers in (
        {},
        {"Authorization": "Bearer luna_wrong_key"},
        {"Authorization": "Basic dTpw"},
    ):
        answer = gate.client.post(
            "/mcp",
            json=message,
            headers=headers | {"Accept": "application/json, text/event-stream"},
        )
        assert (answer.status_code, "tools" in answer.text) == (401, False)


def test_a_page_of_another_site_gets_nothing(gate: Gate) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = gate.key("user") | {
        "Origin": "https://evil.example",
        "Accept": "application/json, text/event-stream",
    }
    assert gate.client.post("/mcp", json=message, headers=headers).status_code == 403


@each_row(
    ("tool", "arguments", "said"),
    [
        ("plan", {"site_id": FOREIGN}, "no such site"),
        ("plan", {"site_id": "nowhere"}, "no such site"),
        ("drop_table", {}, "no such tool"),
        ("price_course", {"first_day": "yesterday"}, "first_day"),
        ("price_course", {"sql": "DROP TABLE sites"}, "sql"),
        ("price_course", {"language": "fr"}, "language"),
        ("plan", {"sites": None}, "sites"),
        ("plan", {"site_id": {"$ne": ""}}, "site_id"),
        ("energy_query", {"first_day": "A" * 100_000}, "at most"),
        ("energy_query", {"series": ["pv"] * 500}, "series"),
        ("list_manual_blocks", {"site_id": FOREIGN}, "no such site"),
        ("list_manual_blocks", {"site_id": {"$ne": ""}}, "site_id"),
        ("list_decisions", {"from": "yesterday"}, "from"),
        ("list_decisions", {"limit": 10**9}, "limit"),
        ("list_decisions", {"sql": "DROP TABLE sites"}, "sql"),
        ("add_manual_block", {}, "no such tool"),
        ("search_documents", {}, "query"),
        ("search_documents", {"query": "x", "k": 10**9}, "k"),
        ("search_documents", {"query": "x", "sites": ["a"]}, "sites"),
        ("site_description", {"x": {"y": [1] * 50}}, "x"),
    ],
)
def test_what_cannot_be_answered_is_an_error_that_says_why(
    gate: Gate, tool: str, arguments: dict[str, Any], said: str
) -> None:
    result = call(gate, tool, arguments)
    assert result.is_error
    assert said in text_of(result)
    assert "Traceback" not in text_of(result)


@each_row(
    ("tool", "right"),
    [
        ("price_course", ["first_day", "last_day"]),
        ("list_decisions", ["site_id (needed)", "limit"]),
        ("search_documents", ["query (needed)", "k"]),
    ],
)
def test_a_tool_called_with_wrong_arguments_lists_the_right_ones(
    gate: Gate, tool: str, right: list[str]
) -> None:
    told = text_of(call(gate, tool, {"nothing": 1}))
    assert [name for name in right if name not in told] == []


def test_who_has_several_sites_has_to_name_one(gate: Gate) -> None:
    result = call(gate, "plan", {}, gate.key("admin"))
    assert result.is_error
    assert OWN in text_of(result)
    assert not call(gate, "site_description", {"site_id": OWN}, gate.key("admin")).is_error


def test_a_key_of_one_site_reads_no_other(gate: Gate) -> None:
    headers = gate.key("admin", sites=(OWN,))
    assert call(gate, "plan", {"site_id": FOREIGN}, headers).is_error
    assert not call(gate, "site_description", {}, headers).is_error


def test_broken_messages_are_refused_and_the_gateway_lives_on(gate: Gate) -> None:
    headers = gate.key("user") | {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    rng = np.random.default_rng(1)
    bodies = [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 20_000]
    bodies += [
        b'{"jsonrpc":"2.0","id":1,"method":"no/such"}',
        b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
    ]
    for body in [*bodies, *(rng.bytes(200) for _ in range(20))]:
        answer = gate.client.post("/mcp", content=body, headers=headers)
        assert answer.status_code < 500, body[:50]
        assert "tools" not in answer.text or "error" in answer.text
    assert gate.client.get("/mcp", headers=headers).status_code in {404, 405}
    assert gate.client.delete("/mcp", headers=headers).status_code in {404, 405}
    assert not call(gate, "site_description", {}).is_error


def test_calls_side_by_side_are_answered_each_for_its_own_asker(gate: Gate) -> None:
    answers: list[str] = []

    async def ask(headers: dict[str, str], language: str) -> None:
        async with connect(gate, headers) as client:
            answers.append(
                text_of(
                    await client.call_tool(
                        "site_description", {"site_id": OWN, "language": language}
                    )
                )
            )

    async def ask_all() -> None:
        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(ask, gate.key("user"), "de" if number % 2 else "en")

    anyio.run(ask_all)
    # Six in each of two languages.
    assert sorted(Counter(answers).values()) == [6, 6]


def test_the_command_serves_an_assistant_on_standard_input(
    gate: Gate, redis_url: str, tmp_path: Path
) -> None:
    environment = {
        "LUNA_DATABASE_URL": gate.database.url.render_as_string(hide_password=False),
        "LUNA_REDIS_URL": redis_url,
        "LUNA_DATA_FOLDER": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    command = StdioServerParameters(
        command=COMMAND, args=["mcp", "--site", OWN, "--language", "de"], env=environment
    )

    async def ask() -> tuple[Any, CallToolResult, CallToolResult, list[CallToolResult]]:
        async with Client(command) as client:
            listed = await client.list_tools()
            told = await client.call_tool("energy_query", YESTERDAY)
            elsewhere = await client.call_tool("list_manual_blocks", {"site_id": FOREIGN})
            blocks = await client.call_tool("list_manual_blocks", {})
            return (
                listed,
                told,
                blocks,
                [
                    await client.call_tool("plan", {"site_id": FOREIGN}),
                    elsewhere,
                    await client.call_tool("nothing", {}),
                ],
            )

    listed, told, blocks, refused = anyio.run(ask)
    assert {tool.name for tool in listed.tools} == {*TOOLS, *DECLARED, "search_documents"}
    assert (
        blocks.structured_content
        == gate.client.get(f"/v1/sites/{OWN}/manual-blocks", headers=gate.key("user")).json()
    )
    assert (
        told.structured_content["figures"]
        == call(gate, "energy_query", YESTERDAY | {"language": "de"}).structured_content["figures"]
    )
    assert "Verbrauch" in text_of(told)
    assert all(each.is_error for each in refused)


def test_without_a_worker_an_assistant_is_told_so(servers: Servers) -> None:
    # A queue that nobody serves.
    away = f"{servers.redis_url.rsplit('/', 1)[0]}/13"
    with gate_with_people(servers.database_url, away, **GENEROUS) as gate:
        result = call(gate, "plan", {})
        assert result.is_error
        assert "no worker of the knowledge service answers" in text_of(result)
