"""Routes by the table of operations: a handler's name says which operation it is, the table where that answers."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path
from fastapi.routing import APIRoute

from services.api.operations import addresses, find_operation
from services.api.site_clock import SiteClockRoute

SitePath = Annotated[str, Path(min_length=1, max_length=64, description="the site's name")]
HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])


class ResourceRouter(APIRouter):
    """The routes of one noun. Local days and clock times in them are those of the site that a request names."""

    def __init__(self, tag: str, *, route_class: type[APIRoute] = SiteClockRoute, documented: bool = True) -> None:
        super().__init__(route_class=route_class, tags=[tag])
        self._documented = documented

    def operation(self, summary: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
        """Let the function answer the operation of its name, at the operation's path and, undocumented, at its aliases.

        Raises:
            LookupError: the table has no such operation.
        """

        def add(handler: HandlerT) -> HandlerT:
            row = find_operation(handler.__name__)
            for path in addresses(row):
                in_schema = self._documented and path == row.path
                self.add_api_route(path, handler, methods=[row.method], operation_id=row.name, summary=summary, include_in_schema=in_schema, **options)
            return handler

        return add
