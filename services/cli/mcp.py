"""``luna mcp``: tools over a site's data for an assistant on this machine, by the Model Context Protocol."""

import getpass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from luna.contracts.plan import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Engine

    from luna.contracts.message import Message
    from luna.contracts.search import SearchReply, SearchRequest
    from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolResult
    from luna.platform.capability import Capability, CapabilityCall
    from luna.platform.queue import Client
    from services.api.tool_access import ToolAccess

MOST_SITES = 200


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mcp")(serve_assistant)


def serve_assistant(
    *,
    site: Annotated[str | None, typer.Option(help="Of one site alone; usual: of all.")] = None,
    language: Annotated[Language, typer.Option(help="Of texts where a call does not say.")] = "en",
) -> None:
    """Answer an assistant on standard input and output until it hangs up. An assistant starts this by itself; see the guide on assistants."""
    import anyio

    from luna.platform.database import engine, migrate, sites
    from luna.platform.embedded import running
    from luna.platform.queue import Client
    from luna.platform.settings import load_settings

    with running(load_settings()) as addresses:
        migrate.upgrade(addresses.database_url)
        database, client = engine.create(addresses.database_url, application_name="luna-mcp"), Client(addresses.redis_url)
        try:
            if site is not None:
                with engine.unit_of_work(database) as connection:
                    sites.load(connection, site)
            anyio.run(_serve, _give_access(database, client, site=site, language=language))
        finally:
            client.close()
            database.dispose()


async def _serve(access: "ToolAccess") -> None:
    from mcp.server.stdio import stdio_server

    from services.api.assistants import build_server

    server = build_server(access)
    async with stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


def _give_access(database: "Engine", client: "Client", *, site: str | None, language: Language) -> "ToolAccess":
    from anyio import to_thread

    from luna.platform.capability import CapabilityCall
    from luna.platform.clock import SystemClock
    from luna.platform.desk.servers import open_object_store
    from services.api.tool_access import ToolAccess
    from services.rag.tools import registry

    among = None if site is None else (site,)

    async def call(request: "ToolCallRequest") -> "ToolResult":
        return await to_thread.run_sync(partial(_call, database, client, request))

    async def read(capability: "Capability", arguments: "Mapping[str, Any]") -> "Message":
        call = CapabilityCall(
            by=getpass.getuser(), now=SystemClock().now(), database=lambda: database, queue=lambda: client, objects=open_object_store, sites=among
        )
        return await to_thread.run_sync(partial(_read, call, capability, arguments))

    async def search(request: "SearchRequest") -> "SearchReply":
        return await to_thread.run_sync(partial(_search, client, request))

    async def list_offered() -> "ToolList":
        return registry.list_tools()

    async def list_sites() -> list[str]:
        return await to_thread.run_sync(partial(_list_sites, database, among))

    return ToolAccess(list_offered, call, read, search, list_sites, sites=among, language=language)


def _call(database: "Engine", client: "Client", request: "ToolCallRequest") -> "ToolResult":
    from luna.platform.clock import SystemClock
    from luna.platform.database.engine import unit_of_work
    from services.rag.tools import registry

    with unit_of_work(database) as connection:
        return registry.call_tool(connection, request, now=SystemClock().now(), client=client)


def _read(call: "CapabilityCall", capability: "Capability", arguments: "Mapping[str, Any]") -> "Message":
    from services.api.tool_access import read_declared

    with call:
        return read_declared(call, capability, arguments)


def _search(client: "Client", request: "SearchRequest") -> "SearchReply":
    from luna.contracts.search import SearchReply
    from luna.energy.errors import UnavailableError
    from services.rag.tools.registry import PATIENCE

    if not client.is_served(type(request), asked=True):
        raise UnavailableError("no worker of the knowledge service answers", remedy="Start Luna: luna up")
    return SearchReply.model_validate_json(client.ask(request, timeout=PATIENCE))


def _list_sites(database: "Engine", among: tuple[str, ...] | None) -> list[str]:
    from luna.platform.database import sites
    from luna.platform.database.engine import unit_of_work

    with unit_of_work(database) as connection:
        return [stored.name for stored in sites.list_page(connection, limit=MOST_SITES, among=among)]
