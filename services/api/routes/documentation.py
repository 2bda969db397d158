"""Routes of the API documentation: OpenAPI and its page."""

import base64
import hashlib
from functools import lru_cache

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=CheckedRoute)


@router.operation("", Operation("GET", "/openapi.json", "read", alone="says what can be asked"))
async def read_description(request: Request) -> JSONResponse:
    """Return what can be asked, for machines."""
    return JSONResponse(request.app.openapi())


@router.operation(
    "",
    Operation("GET", "/docs", "read", alone="says what can be asked"),
    response_class=HTMLResponse,
)
def show_documentation(request: Request) -> HTMLResponse:
    """Return the page."""
    page, policy = render_documentation(request.app)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


@lru_cache(maxsize=1)
def render_documentation(app: FastAPI) -> tuple[str, str]:
    """Return the page and its content security policy, computed once.

    It takes a tenth of a second and is the same for everybody.
    """
    environment = Environment(
        loader=PackageLoader("services.api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("documentation.html.j2").render(document=app.openapi())
    style = page.partition("<style>")[2].partition("</style>")[0]
    # The page's own style, and nothing else.
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        page,
        (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action "
            "'none'; frame-ancestors 'none'"
        ),
    )
