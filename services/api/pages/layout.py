"""Layout shared by all pages.

Declaration, navigation, language and theme, site switcher, templates and error pages.
"""

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import quote

import structlog
from anyio import to_thread
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from pydantic import BeforeValidator
from sqlalchemy import Engine
from starlette.datastructures import URL
from starlette.exceptions import HTTPException

from luna.energy.errors import ConfirmationError, LunaError, UnauthenticatedError, UnreadableError
from luna.energy.refusals import REASONS, refuse
from luna.energy.site import Site, explain_faults
from luna.energy.timeline import SLOT, parse_zone
from luna.platform.database import control, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.telemetry import current_trace_id
from luna.simulated_home.site import SITE_NAME, is_simulated
from luna.words import Language, Numbers
from luna.words.catalogue import CATALOGUE, ENGLISH
from luna.words.numbers import write_decimal
from luna.words.pages import PageWords, page_words
from luna.words.quality import say_series
from luna.words.quarantine import say_row_fault
from luna.words.refusals import SpokenError, say_problem, say_refusal
from services.api.identity.caller import NOBODY, Caller
from services.api.json_body import Handler
from services.api.pages.assets import find_asset
from services.api.problems import answer_http_error, answer_unforeseen_error
from services.api.site_clock import SiteClockRoute


def _empty_as_none(value: Any) -> Any:
    return None if value == "" else value


# Of a field of a form: left empty, it is not given.
EMPTY_IS_NONE = BeforeValidator(_empty_as_none)
Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
LANGUAGE_COOKIE = "luna_language"
THEME_COOKIE = "luna_theme"
# The service worker caches pages per account by this header.
ACCOUNT_HEADER = "X-Luna-Account"
MISSING = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)

log = structlog.get_logger("luna.api")


@dataclass(frozen=True, slots=True)
class Page:
    """A page: ``name`` is its topic in ``luna/words/catalogue`` and its template.

    ``path`` may hold ``{site_id}``.
    """

    name: str
    path: str
    scope: str = "read"

    def address(self, site_id: str | None) -> str:
        """Return the page's path for a site."""
        return self.path.format(site_id=quote(site_id or "", safe=""))

    @property
    def is_of_site(self) -> bool:
        """Whether the page is about one site."""
        return "{site_id}" in self.path


# In the order of the navigation.
NAVIGATION = (
    Page("home", "/ui/sites/{site_id}/home"),
    Page("planning", "/ui/sites/{site_id}/planning"),
    Page("energy", "/ui/sites/{site_id}/energy"),
    Page("savings", "/ui/sites/{site_id}/savings"),
    Page("agent", "/ui/sites/{site_id}/agent"),
    Page("forecasts", "/ui/sites/{site_id}/forecasts"),
    Page("what_ifs", "/ui/sites/{site_id}/what-ifs"),
    Page("knowledge", "/ui/sites/{site_id}/knowledge"),
    Page("data", "/ui/sites/{site_id}/data"),
)


PAGES = {page.name: page for page in NAVIGATION}


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader's language and theme."""

    language: Language
    theme: Theme

    @classmethod
    def of(cls, request: Request) -> "Reader":
        """Return the reader's preferences: of the query, else the cookies, else the browser."""
        language = (
            request.query_params.get("lang")
            or request.cookies.get(LANGUAGE_COOKIE)
            or _find_accepted_language(request)
        )
        wanted = request.cookies.get(THEME_COOKIE)
        theme: Theme = next((name for name in THEMES if name == wanted), "system")
        return cls(CATALOGUE.choose(language), theme)


def _find_accepted_language(request: Request) -> str:
    # Browsers list the preferred one first.
    for part in request.headers.get("Accept-Language", "").split(","):
        tag = part.strip()[:2].lower()
        if tag in CATALOGUE.languages:
            return tag
    return ENGLISH


def find_countries(request: Request) -> list[str]:
    """Return the countries that the reader may live in, the likeliest first.

    A browser names its country with the language, as ``de-AT`` does; then come the countries in
    which the reader's language is spoken.
    """
    accepted = request.headers.get("Accept-Language", "").split(",")
    tags = [part.partition(";")[0].strip() for part in accepted]
    named = [tag.partition("-")[2].upper() for tag in tags]
    spoken = CATALOGUE.read("language", Reader.of(request).language)["countries"].text
    return list(dict.fromkeys([*filter(None, named), *spoken.split()]))


def show(
    request: Request,
    page: Page,
    *,
    template: str | None = None,
    site: Site | None = None,
    status: int = HTTPStatus.OK.value,
    **context: Any,
) -> HTMLResponse:
    """Render a page in its frame; ``template`` replaces the default, ``<name>.html.j2``."""
    html = _render(request, page, template or f"{page.name}.html.j2", site=site, **context)
    return HTMLResponse(html, status)


def show_part(
    request: Request,
    page: Page,
    template: str,
    *,
    site: Site | None = None,
    status: int = HTTPStatus.OK.value,
    **context: Any,
) -> HTMLResponse:
    """Render a fragment that htmx swaps into a page."""
    return HTMLResponse(_render(request, page, template, site=site, **context), status)


def _render(
    request: Request, page: Page, template: str, *, site: Site | None, **context: Any
) -> str:
    reader = Reader.of(request)
    words = page_words(page.name, reader.language)
    frame = {
        "request": request,
        "page": page,
        "navigation": NAVIGATION,
        "reader": reader,
        "site": site,
        "simulated": site is not None and is_simulated(site),
        "switcher": _make_switcher(request, page, words),
        "t": words,
        "numbers": None if site is None else numbers_of(request, site),
        "csrf_token": getattr(request.state, "csrf_token", ""),
        "trace_id": current_trace_id(),
    }
    return templates().get_template(template).render(frame | context)


def _make_switcher(request: Request, page: Page, words: PageWords) -> "SiteSwitcher":
    caller: Caller = getattr(request.state, "caller", NOBODY)
    entries: dict[str, _SiteEntry] = getattr(request.state, "sites", {})
    target = page if page.is_of_site else NAVIGATION[0]
    addresses = {}
    called = {}
    unreadable = {}
    for name, entry in entries.items():
        if not caller.has_site(name):
            continue
        addresses[name] = target.address(name)
        called[name] = words("simulated_name") if name == SITE_NAME else entry.called
        if entry.fault is not None:
            unreadable[name] = entry.fault
    may_add = "administer" in caller.scopes
    return SiteSwitcher(addresses, called, unreadable, may_add=may_add)


class UnreadableMark(NamedTuple):
    """A site's fault; ``untold``: it is armed, and its devices get no set-points."""

    error: UnreadableError
    untold: bool


@dataclass(frozen=True, slots=True)
class SiteSwitcher:
    """The reader's sites by id, and whether the reader may add one.

    Each has the address of the same page, its display name, and its fault if it cannot be read.
    """

    addresses: dict[str, str]
    called: dict[str, str]
    unreadable: dict[str, UnreadableMark]
    may_add: bool


async def remember_sites(request: Request) -> None:
    """Read the sites for the page's header.

    Without the database the page is rendered without them.
    """
    if (
        request.headers.get("HX-Request")
        or hasattr(request.state, "sites")
        or not hasattr(request.state, "caller")
    ):
        return
    with suppress(LunaError):
        request.state.sites = await to_thread.run_sync(
            _list_sites, request.app.state.gateway.database
        )


class _SiteEntry(NamedTuple):
    called: str
    fault: UnreadableMark | None


def _list_sites(database: Engine) -> dict[str, _SiteEntry]:
    with unit_of_work(database) as connection:
        unreadable = sites.list_unreadable(connection)
        untold = set[str]()
        if unreadable:
            untold = sites.find_uncontrolled(connection, unreadable, control.list_armed(connection))
        marks = {
            stored.name: UnreadableMark(stored.error, stored.name in untold)
            for stored in unreadable
        }
        display_names = sites.display_names(connection)
    return {name: _SiteEntry(called, marks.get(name)) for name, called in display_names.items()}


@cache
def templates() -> Environment:
    """Return the templates: values are escaped, and an undefined name is an error."""
    environment = Environment(
        loader=PackageLoader("services.api.pages"),
        autoescape=select_autoescape(default_for_string=True, default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "asset": find_asset,
        "themes": THEMES,
        "languages": {
            language: CATALOGUE.name(language) for language in sorted(CATALOGUE.languages)
        },
        "say_row_fault": say_row_fault,
        "say_series": say_series,
        "write_decimal": write_decimal,
        "write_decimals": _write_decimals,
        "say_refusal": say_refusal,
        "say_problem": say_problem,
        "say_given": say_given,
        "slot": SLOT,
    }
    return environment


def _write_decimals(figures: Mapping[str, object], language: Language) -> dict[str, object]:
    """Return the figures of a fault with the reader's decimal separator."""
    return {
        name: write_decimal(value, language) if isinstance(value, str) else value
        for name, value in figures.items()
    }


class PageRoute(SiteClockRoute):
    """A route of pages.

    It reads the sites for the header, and renders errors as pages, or as fragments for htmx.
    """

    def make_handler(self) -> Handler:
        """Return the handler, with the sites read first and the account's header added."""
        handle = super().make_handler()

        async def handle_among_sites(request: Request) -> Response:
            await remember_sites(request)
            answer = await handle(request)
            caller: Caller = getattr(request.state, "caller", NOBODY)
            if caller.means in {"session", "local"}:
                # Lets the browser's page cache tell accounts apart.
                answer.headers[ACCOUNT_HEADER] = hashlib.sha256(
                    f"{caller.user_id}:{caller.name}".encode()
                ).hexdigest()[:16]
            return answer

        return handle_among_sites

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with errors rendered as pages."""
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                return await handle(request)
            except LunaError as error:
                # The guard may have refused before the sites were read.
                await remember_sites(request)
                _log_unsaid(error)
                return show_error(request, error)
            except RequestValidationError as error:
                faults = [{**fault, "loc": fault["loc"][1:]} for fault in error.errors()]
                explained = explain_faults(faults, field="")
                _log_unsaid(explained)
                return show_error(request, explained)

        return handle_as_page


def show_error(request: Request, error: LunaError) -> Response:
    """Render an error as a page or fragment.

    Redirect to sign-in or password confirmation where that is missing.
    """
    if isinstance(error, UnauthenticatedError | ConfirmationError):
        door = "/ui/confirm" if isinstance(error, ConfirmationError) else "/ui/login"
        by_script = request.headers.get("HX-Request")
        # ``next`` leads back to the page afterwards.
        page = URL(request.headers.get("HX-Current-URL") or request.headers.get("Referer", "/"))
        target = request.url if request.method == "GET" and not by_script else page
        query = f"?{target.query}" if target.query else ""
        address = f"{door}?next={quote(f'{target.path}{query}', safe='')}"
        if by_script:
            return Response(headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)
    template = "error_part.html.j2" if request.headers.get("HX-Request") else "error.html.j2"
    html = _render(request, Page("error", ""), template, site=None, error=error)
    return HTMLResponse(html, error.status, error.headers)


def _log_unsaid(error: LunaError) -> None:
    """Log an error of which the page cannot say everything; the page shows the log's number."""
    if isinstance(error, SpokenError | UnauthenticatedError | ConfirmationError):
        return
    declared = REASONS.get(error.reason or "")
    is_said = declared is not None and not declared.quotes
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or not is_said:
        log.warning("page failed", error=str(error), code=error.code)


def say_given(error: LunaError, language: Language) -> str:
    """Return the refused value of an error; "" of Luna's own faults."""
    value = error.value
    if value is None or isinstance(value, bool) or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ""
    return write_decimal(str(value), language)


async def answer_missing_page(request: Request, error: Exception) -> Response:
    """Render the framework's 404 and 405 below /ui/ as a page.

    Its other errors become problem documents.
    """
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    if error.status_code in MISSING and request.url.path.startswith("/ui/"):
        return show_error(request, refuse("no-such-page"))
    return await answer_http_error(request, error)


async def answer_broken_page(request: Request, error: Exception) -> Response:
    """Render an unforeseen error below /ui/ as a page with its number.

    Others become problem documents.
    """
    is_page = request.url.path.startswith("/ui/")
    return answer_unforeseen_error(request, error, show_error if is_page else None)


def numbers_of(request: Request, site: Site) -> Numbers:
    """Return the formats of figures and times of a site for the request's reader."""
    return Numbers(Reader.of(request).language, parse_zone(site.timezone), site.currency)


def words_of(request: Request, page: Page) -> PageWords:
    """Return a page's texts in the language of the request's reader."""
    return page_words(page.name, Reader.of(request).language)
