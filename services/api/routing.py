"""Router whose routes declare path, scope and other properties as an operation at the handler."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import Path

from luna.contracts.identity import Scope
from services.api.json_body import CheckedRoute
from services.api.operation import Method, Operation
from services.api.site_clock import SiteClockRoute

SitePath = Annotated[str, Path(min_length=1, max_length=64, description="the site's name")]
HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])


class ResourceRouter:
    """The routes of one noun.

    By default local times are read in the time zone of the site that a request names.
    """

    def __init__(self, tag: str = "", *, route_class: type[CheckedRoute] = SiteClockRoute) -> None:
        self.routes: list[CheckedRoute] = []
        self._tag = tag
        self._route_class = route_class

    def operation(
        self, summary: str, operation: Operation, **options: Any
    ) -> Callable[[HandlerT], HandlerT]:
        """Register the handler of an operation, named as the function, at its path and aliases.

        OpenAPI shows the path alone, and none without ``summary``.
        """

        def add(handler: HandlerT) -> HandlerT:
            row = replace(operation, name=handler.__name__)
            for path in row.addresses:
                in_schema = bool(summary) and path == row.path
                route = self._route_class(
                    path,
                    handler,
                    operation=row,
                    tags=[self._tag],
                    summary=summary,
                    include_in_schema=in_schema,
                    **options,
                )
                self.routes.append(route)
            return handler

        return add

    def page(
        self, method: Method, path: str, scope: Scope, **attributes: Any
    ) -> Callable[[HandlerT], HandlerT]:
        """Register a page, outside OpenAPI and without a command.

        Pages render what routes and commands return.

        ``attributes`` are those of ``Operation``.
        """
        return self.operation(
            "", Operation(method, path, scope, alone="a page", keyed=False, **attributes)
        )
