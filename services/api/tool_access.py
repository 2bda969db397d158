"""Where tools over a site's data run, and for whom: whoever offers them to an assistant gives this."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from luna.contracts.search import SearchReply, SearchRequest
from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolResult


@dataclass(frozen=True, slots=True)
class ToolAccess:
    """Who asks, and where their tools run.

    Attributes:
        list_tools: returns the tools over a site's data.
        call_tool: calls one.
        search: searches documents.
        list_sites: returns the names of the asker's sites.
        sites: the asker's; None: all.
        language: in which results are told where a call does not say.
    """

    list_tools: Callable[[], Awaitable[ToolList]]
    call_tool: Callable[[ToolCallRequest], Awaitable[ToolResult]]
    search: Callable[[SearchRequest], Awaitable[SearchReply]]
    list_sites: Callable[[], Awaitable[list[str]]]
    sites: tuple[str, ...] | None = None
    language: str = "en"
