"""Routes of the tools over a site's data.

They are called one by one, and by the Model Context Protocol (MCP) for assistants.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Path, Request, Response
from pydantic import Field

from luna.contracts.documents import SiteName
from luna.contracts.message import Message
from luna.contracts.message import Request as RequestMessage
from luna.contracts.search import SearchReply, SearchRequest
from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolListRequest, ToolResult
from luna.energy.refusals import refuse
from luna.house.capability import Capability
from luna.platform.database import sites
from luna.words import Language
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.identity.identity import Identity
from services.api.identity.rate_limits import Budget
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routing import ResourceRouter
from services.api.tool_access import ToolAccess, read_declared

# Not SiteClockRoute: the tool itself reads local times in its arguments.
router = ResourceRouter("tools", route_class=CheckedRoute)

ToolName = Annotated[
    str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$", description="as listed")
]
# Tools for which the planner plans anew.
COMPUTING = frozenset({"what_would_it_cost"})
MOST_SITES = 200


class ToolQuestion(Message):
    """Arguments of a tool."""

    site_id: SiteName
    arguments: Annotated[
        dict[str, Any],
        Field(description="as the tool's schema says; days are local days of the site"),
    ] = {}
    language: Annotated[Language, Field(description="of the text")] = "en"


@router.operation(
    "List the tools over a site's data",
    Operation("GET", "/v1/tools", "read", "tools list"),
    response_model=ToolList,
)
async def list_tools(gateway: CurrentGateway) -> Response:
    """Return each tool with the JSON schema of its arguments; none changes anything."""
    return await gateway.ask(ToolListRequest())


@router.operation(
    "Call a tool over a site's data",
    Operation("POST", "/v1/tools/{name}", "read", "tools call"),
    response_model=ToolResult,
)
async def call_tool(
    name: ToolName,
    question: ToolQuestion,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    request: Request,
) -> Response:
    """Return a tool's findings.

    A few sentences, the figures in them, a chart, and where they come from.
    """
    await _spend(request, caller, name)
    call = ToolCallRequest(
        tool=name,
        arguments=question.arguments,
        site_id=question.site_id,
        language=question.language,
        sites=caller.own_sites,
    )
    return await gateway.ask(call)


# Not in OpenAPI: MCP describes itself.
@router.operation("", Operation("POST", "/mcp", "read", "mcp"), response_class=Response)
async def answer_assistant(
    request: Request, gateway: CurrentGateway, caller: CurrentCaller
) -> Response:
    """Answer one message of the protocol (streamable HTTP, without a session).

    An assistant lists tools and calls them, with a key as any program.
    """
    # The MCP library takes a second to import: not at start, and in a thread.
    answer_message = await to_thread.run_sync(_import_assistants)
    return await answer_message(_give_access(request, gateway, caller), request)


def _import_assistants() -> Callable[[ToolAccess, Request], Awaitable[Response]]:
    from services.api.assistants import answer_message

    return answer_message


def _give_access(request: Request, gateway: Gateway, caller: Caller) -> ToolAccess:
    async def call(message: ToolCallRequest) -> ToolResult:
        await _spend(request, caller, message.tool)
        return ToolResult.model_validate_json(await _ask(gateway, message))

    async def read(capability: Capability, arguments: Mapping[str, Any]) -> Message:
        return await to_thread.run_sync(partial(_read, gateway, caller, capability, arguments))

    async def search(message: SearchRequest) -> SearchReply:
        return SearchReply.model_validate_json(await _ask(gateway, message))

    async def list_offered() -> ToolList:
        return ToolList.model_validate_json(await _ask(gateway, ToolListRequest()))

    async def list_sites() -> list[str]:
        list_page = partial(sites.list_page, limit=MOST_SITES, among=caller.sites)
        page = await gateway.in_unit(list_page)
        return [stored.name for stored in page]

    return ToolAccess(
        list_tools=list_offered,
        call_tool=call,
        read=read,
        search=search,
        list_sites=list_sites,
        sites=caller.own_sites,
    )


async def _ask(gateway: Gateway, message: RequestMessage) -> bytes:
    """Return a service's reply; fail at once where no worker serves the request.

    Raises:
        UnavailableError: no worker answers such requests.
    """
    if not await to_thread.run_sync(
        partial(gateway.queue.is_served, type(message), interactive=True)
    ):
        raise refuse("knowledge-service-away")
    return bytes((await gateway.ask(message)).body)


def _read(
    gateway: Gateway, caller: Caller, capability: Capability, arguments: Mapping[str, Any]
) -> Message:
    with gateway.open_call(caller) as call:
        return read_declared(call, capability, arguments)


async def _spend(request: Request, caller: Caller, tool: str) -> None:
    """Count a tool call that makes the planner compute against the solver's budget.

    The planner's route does the same.
    """
    if tool in COMPUTING and caller.means != "local":
        identity: Identity = request.app.state.identity
        await identity.limiter.spend(
            Budget("solver", identity.settings.solves_per_minute), str(caller.user_id)
        )
