"""``luna mcp``: tools over a site's data for an assistant on this machine.

They speak the Model Context Protocol.
"""

import getpass
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Annotated, Any, ParamSpec, TypeVar

import anyio
import typer
from anyio import to_thread
from sqlalchemy import Engine

from luna.contracts.message import Message
from luna.contracts.search import SearchReply, SearchRequest
from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolResult
from luna.energy.errors import UnavailableError
from luna.house.capability import Capability, CapabilityCall
from luna.house.desk.servers import open_engine, open_object_store
from luna.platform.clock import SystemClock
from luna.platform.database import migrate, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import running
from luna.platform.queue import Client
from luna.platform.settings import load_settings
from luna.words import Language
from services.api.tool_access import ToolAccess, read_declared

MOST_SITES = 200
ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")


def serve_assistant(
    *,
    site: Annotated[str | None, typer.Option(help="Offer this site only (default: all).")] = None,
    language: Annotated[
        Language, typer.Option(help="Language of texts, if a call names none.")
    ] = "en",
) -> None:
    """Serve the tools to an assistant on standard input and output.

    The assistant starts this command itself; see the guide on assistants.
    """
    with running(load_settings()) as addresses:
        migrate.upgrade(addresses.database_url)
        with (
            open_engine(addresses.database_url) as database,
            closing(Client(addresses.redis_url)) as client,
        ):
            if site is not None:
                with unit_of_work(database) as connection:
                    sites.load(connection, site)
            anyio.run(_serve, _give_access(database, client, site=site, language=language))


async def _serve(access: ToolAccess) -> None:
    from mcp.server.stdio import stdio_server

    from services.api.assistants import build_server

    server = build_server(access)
    async with stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


def _give_access(
    database: Engine, client: Client, *, site: str | None, language: Language
) -> ToolAccess:
    from services.rag.tools import registry

    among = None if site is None else (site,)

    def call(request: ToolCallRequest) -> ToolResult:
        with unit_of_work(database) as connection:
            return registry.call_tool(connection, request, now=SystemClock().now(), client=client)

    def read(capability: Capability, arguments: Mapping[str, Any]) -> Message:
        now = SystemClock().now()
        user = getpass.getuser()
        with CapabilityCall(
            by=user,
            now=now,
            database=lambda: database,
            queue=lambda: client,
            objects=open_object_store,
            sites=among,
        ) as capability_call:
            return read_declared(capability_call, capability, arguments)

    def search(request: SearchRequest) -> SearchReply:
        if not client.is_served(type(request), interactive=True):
            raise UnavailableError(
                "the knowledge service does not answer", remedy="Start Luna: luna up"
            )
        return SearchReply.model_validate_json(client.ask(request, timeout=registry.PATIENCE))

    def list_sites() -> list[str]:
        with unit_of_work(database) as connection:
            return [
                stored.name for stored in sites.list_page(connection, limit=MOST_SITES, among=among)
            ]

    async def list_offered() -> ToolList:
        return registry.list_tools()

    return ToolAccess(
        list_tools=list_offered,
        call_tool=_in_thread(call),
        read=_in_thread(read),
        search=_in_thread(search),
        list_sites=_in_thread(list_sites),
        sites=among,
        language=language,
    )


def _in_thread(
    function: Callable[ParametersT, ResultT],
) -> Callable[ParametersT, Awaitable[ResultT]]:
    async def wait(*positional: ParametersT.args, **named: ParametersT.kwargs) -> ResultT:
        return await to_thread.run_sync(partial(function, *positional, **named))

    return wait
