"""Sites: read one, add one, change it."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Header, Query, Request, Response
from pydantic import Field

from luna.contracts.message import Message
from luna.energy.errors import ConflictError, OutdatedError, UnconditionalError, UnreadableError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.sensor_changes import ChangedSensors
from luna.platform.database import site_changes, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.drivers.profiles import require_profiles
from services.api.entity_tags import read_version, respond_tagged, version_tag
from services.api.gateway import CurrentGateway
from services.api.problems import document_errors
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("sites")

_TAGGED = {"headers": {"ETag": {"description": "the site's version, for If-Match and If-None-Match", "schema": {"type": "string"}}}}
IfMatch = Annotated[str | None, Header(max_length=100, description='the version that is changed, as the ETag said: "3"')]
IfNoneMatch = Annotated[str | None, Header(max_length=1000, description="ETags the caller has: 304 where one of them holds")]


class PastOfSite(Message):
    """What another configuration means for what is recorded."""

    changed_sensors: Annotated[ChangedSensors, Field(description="since when a sensor counts whose sign or role is changed")] = "from-now"
    accept_time_zone: Annotated[bool, Field(description="store another time zone although what is recorded is then billed and drawn by other days")] = False


@router.operation("Add a site", status_code=201, response_model=Site, responses={201: _TAGGED, **document_errors(ConflictError)})
def create_site(site: Site, gateway: CurrentGateway) -> Response:
    """Store a new site; 409 where there is one of that name. Its devices follow no plan before it is armed."""
    require_profiles(site, gateway.settings.data_folder)
    with unit_of_work(gateway.database) as connection:
        version = sites.create(connection, site)
    headers = {"Location": f"/v1/sites/{quote(site.name)}", "ETag": version_tag(version)}
    return Response(_document(site), status_code=HTTPStatus.CREATED.value, headers=headers, media_type="application/json")


@router.operation(
    "Read a site", response_model=Site, responses={200: _TAGGED, 304: {"description": "As it was, by If-None-Match"}, **document_errors(UnreadableError)}
)
def read_site(site_id: SitePath, gateway: CurrentGateway, request: Request, *, if_none_match: IfNoneMatch = None) -> Response:  # noqa: ARG001 - documents the header
    """Return the site as it was configured last; its ETag is its version. 409 where this release cannot read it; the list shows what is stored."""
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
    return respond_tagged(request, _document(stored.site), version_tag(stored.version))


@router.operation("Change a site", response_model=Site, responses={200: _TAGGED, **document_errors(ConflictError, OutdatedError, UnconditionalError)})
def change_site(
    site_id: SitePath,
    site: Site,
    gateway: CurrentGateway,
    request: Request,
    *,
    past: Annotated[PastOfSite, Query()],
    if_match: IfMatch = None,  # noqa: ARG001 - documents the header
) -> Response:
    """Store another configuration as the site's next version; the old one is kept. 412 where somebody else changed it meanwhile, 428 without `If-Match`.

    409 where another time zone would give what is recorded other days, unless `accept_time_zone` is true.

    A sensor whose sign or role changes counts so from now on, and both times stand in the site that is returned; `changed_sensors=always` stores it as given.
    """
    version = read_version(request)
    if site.name != site_id:
        raise refuse("site-keeps-name", field="name", value=site.name, site_id=site_id)
    require_profiles(site, gateway.settings.data_folder)
    with unit_of_work(gateway.database) as connection:
        change = site_changes.prepare(connection, site, now=gateway.clock.now(), **past.model_dump())
        version = site_changes.store(connection, change, version=version)
    return Response(_document(change.site), headers={"ETag": version_tag(version)}, media_type="application/json")


def _document(site: Site) -> bytes:
    return site.model_dump_json(by_alias=True).encode()
