"""Where tools over a site's data run, and for whom: whoever offers them to an assistant gives this."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from luna.contracts.message import Message
from luna.contracts.search import SearchReply, SearchRequest
from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolResult
from luna.energy.site import invalid_input
from luna.energy.timeline import parse_zone, site_clock
from luna.platform.capability import Capability, CapabilityCall
from luna.platform.database import sites
from luna.platform.own_sites import require_own


@dataclass(frozen=True, slots=True)
class ToolAccess:
    """Who asks, and where their tools run.

    Attributes:
        list_tools: returns the tools over a site's data.
        call_tool: calls one.
        read: returns what a declared capability that reads finds.
        search: searches documents.
        list_sites: returns the names of the asker's sites.
        sites: the asker's; None: all.
        language: in which results are told where a call does not say.
    """

    list_tools: Callable[[], Awaitable[ToolList]]
    call_tool: Callable[[ToolCallRequest], Awaitable[ToolResult]]
    read: Callable[[Capability, Mapping[str, Any]], Awaitable[Message]]
    search: Callable[[SearchRequest], Awaitable[SearchReply]]
    list_sites: Callable[[], Awaitable[list[str]]]
    sites: tuple[str, ...] | None = None
    language: str = "en"


def read_declared(call: CapabilityCall, capability: Capability, arguments: Mapping[str, Any]) -> Message:
    """Return what a declared capability finds; days and times without an offset are those of its site's clock.

    Args:
        call: who asks, and where.
        capability: one that reads, of one site.
        arguments: what is given, as its request names it.

    Raises:
        NotFoundError: the site is not one of them; one that is not there at all is told in the same words.
        InvalidInputError: an argument is missing, unknown or out of bounds.
    """
    site = str(arguments["site_id"])
    require_own(site, call.sites, field="site_id")
    with site_clock(parse_zone(sites.load(call.connection, site).timezone)):
        try:
            request = capability.request.model_validate(dict(arguments))
        except ValidationError as exc:
            raise invalid_input(exc, field="") from exc
    values = {each.name: getattr(request, each.name) for each in capability.parameters}
    reply: Message = capability(call, **values)
    return reply
