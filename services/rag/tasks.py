"""The knowledge service's tasks: decode, call, encode."""

from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolListRequest, ToolResult
from luna.queue import TaskContext, task
from services.rag.tools import registry

NEEDS = ("database", "redis", "objects", "vectors", "language")


@task(ToolListRequest)
def list_tools(_request: ToolListRequest, _work: TaskContext) -> ToolList:
    """Return the tools over a site's data."""
    return registry.list_tools()


@task(ToolCallRequest)
def call_tool(request: ToolCallRequest, work: TaskContext) -> ToolResult:
    """Call one."""
    return registry.call_tool(work.connection, request, now=work.clock.now(), client=work.client)
