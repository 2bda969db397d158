"""Give MCP over HTTP and ``luna mcp`` the tools over a site's data and the caller's sites."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from luna.contracts.message import Message
from luna.contracts.search import SearchReply, SearchRequest
from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolResult, refuse_arguments
from luna.energy.timeline import parse_zone, site_clock
from luna.house.capability import Capability, CapabilityCall
from luna.platform.database import sites
from luna.platform.own_sites import require_own


@dataclass(frozen=True, slots=True)
class ToolAccess:
    """The tools as functions, and the caller's sites.

    Attributes:
        list_tools: returns the tools over a site's data.
        call_tool: calls one.
        read: calls a declared capability that reads.
        search: searches documents.
        list_sites: returns the names of the caller's sites.
        sites: the caller's; None: all.
        language: of results, where a call names none.
    """

    list_tools: Callable[[], Awaitable[ToolList]]
    call_tool: Callable[[ToolCallRequest], Awaitable[ToolResult]]
    read: Callable[[Capability, Mapping[str, Any]], Awaitable[Message]]
    search: Callable[[SearchRequest], Awaitable[SearchReply]]
    list_sites: Callable[[], Awaitable[list[str]]]
    sites: tuple[str, ...] | None = None
    language: str = "en"


def read_declared(
    call: CapabilityCall, capability: Capability, arguments: Mapping[str, Any]
) -> Message:
    """Call a declared capability that reads one site.

    Days and times without an offset are in the site's time zone.

    Args:
        call: the database connection and the caller's sites.
        capability: one that reads one site.
        arguments: by the field names of its request.

    Raises:
        NotFoundError: the site is not the caller's or does not exist; the message is the same.
        InvalidInputError: an argument is missing, unknown or out of bounds.
    """
    site = str(arguments["site_id"])
    require_own(site, call.sites, field="site_id")
    with site_clock(parse_zone(sites.load(call.connection, site).timezone)):
        try:
            request = capability.request.model_validate(dict(arguments))
        except ValidationError as exc:
            raise refuse_arguments(exc, capability.request, field="") from exc
    names = [parameter.name for parameter in capability.parameters]
    values = {name: getattr(request, name) for name in names}
    reply: Message = capability(call, **values)
    return reply
