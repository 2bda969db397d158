"""Find my devices: a network that the owner names is asked for devices that Luna speaks to itself, and one click takes each into what is set up.

What a Home Assistant has of the home is proposed beside them; nothing is written to it.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from luna.contracts.device_search import FindDevicesRequest, FoundDevices
from luna.contracts.job import Job
from luna.energy.errors import ConflictError, InvalidInputError
from luna.energy.refusals import refuse
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database import jobs, setup_drafts
from luna.platform.database.engine import unit_of_work
from luna.platform.drivers.device_secrets import DeviceSecret, store_device_secret
from luna.platform.drivers.networks import propose_networks, require_home_network
from luna.platform.queue.jobs import cancel_job, submit_job
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.job_part import find_progress
from services.api.pages.layout import PageRoute, show
from services.api.pages.setup.data_step import view_access
from services.api.pages.setup.found_devices import is_taken, leave_device, take_device
from services.api.pages.setup.home_assistant import Lookup, look_up
from services.api.pages.setup.home_entities import count_taken, offer_entities, take_entities, takes_commands, takes_sensors
from services.api.pages.setup.pages import PAGE, DraftId, Typed
from services.api.pages.setup.server_access import HOME_ASSISTANT

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/ui/setup/{draft_id}/find")
def show_device_search(draft_id: DraftId, request: Request, gateway: CurrentGateway, *, look: Annotated[bool, Query()] = False) -> Response:
    """Show which network is asked, how far that is, and what was found; ``look``: what Home Assistant has as well."""
    return _show(draft_id, request, gateway, lookup=_look_up(gateway) if look else None)


@router.post("/ui/setup/{draft_id}/find")
def search_devices(draft_id: DraftId, request: Request, typed: Typed, gateway: CurrentGateway) -> Response:
    """Begin to look for devices, stop it, or take or leave one that was found."""
    verb, _, place = typed.get("go", "search").partition("-")
    if verb == "search":
        try:
            _search(gateway, draft_id, typed)
        except InvalidInputError as refusal:
            return _show(draft_id, request, gateway, typed=typed, refusal=refusal)
    elif verb == "stop":
        with unit_of_work(gateway.database) as connection:
            search = setup_drafts.load(connection, draft_id).get("search")
        if search is not None:
            # It may have ended meanwhile.
            with suppress(ConflictError):
                cancel_job(gateway.database, gateway.queue, search["job_id"])
    elif verb == "connect":
        HOME_ASSISTANT.store(gateway, typed)
        faults = {fault.field: fault for fault in HOME_ASSISTANT.find_faults(gateway.settings, typed.get("url", "").strip())}
        return _show(draft_id, request, gateway, faults=faults) if faults else _lead(draft_id, "?look=1#home-assistant")
    elif verb == "entities":
        lookup = _look_up(gateway)
        if lookup is None or lookup.fault:
            return _show(draft_id, request, gateway, lookup=lookup)
        with unit_of_work(gateway.database) as connection:
            setup_drafts.save(connection, draft_id, take_entities(setup_drafts.load(connection, draft_id), typed, lookup))
        return _lead(draft_id, "#home-assistant")
    else:
        with unit_of_work(gateway.database) as connection:
            answers = setup_drafts.load(connection, draft_id)
            found = _read_found(jobs.load(connection, answers["search"]["job_id"]) if "search" in answers else None).devices
            if place.isdecimal() and int(place) < len(found):
                change = take_device if verb == "take" else leave_device
                setup_drafts.save(connection, draft_id, change(answers, found[int(place)]))
    return _lead(draft_id)


def _lead(draft_id: str, place: str = "") -> Response:
    return RedirectResponse(f"/ui/setup/{draft_id}/find{place}", 303)


def _look_up(gateway: Gateway) -> Lookup | None:
    """Return what Home Assistant has; None where none is set."""
    return look_up(HomeAssistantAccess.of(gateway.settings)) if HOME_ASSISTANT.is_set(gateway.settings) else None


def _show(draft_id: str, request: Request, gateway: Gateway, *, typed: Mapping[str, str] | None = None, **outcome: Any) -> Response:
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
        job = jobs.load(connection, answers["search"]["job_id"]) if "search" in answers else None
    networks, lookup = propose_networks(), outcome.get("lookup")
    typed = {"port": "", "user": "", "secret": "", "network": networks[0] if networks else ""} | dict(typed or answers.get("search", {}))
    search = _read_found(job)
    found = [(device, is_taken(answers, device)) for device in search.devices]
    view: dict[str, Any] = {
        "networks": networks,
        # Containers have a folder each: there the file is written by hand.
        "keeps_secrets": gateway.settings.database_url is None,
        "typed": typed,
        "refusal": outcome.get("refusal"),
        "job": job,
        "progress": job and find_progress(gateway, job),
        "found": found,
        "missing_extra": search.missing_extra,
        "faults": outcome.get("faults", {}),
        "asks_home_assistant": takes_sensors(answers) or takes_commands(answers),
        "home_assistant": view_access(gateway, HOME_ASSISTANT, "", None),
        "connected": HOME_ASSISTANT.is_set(gateway.settings),
        "lookup": lookup,
        "offers": offer_entities(answers, lookup) if lookup and not lookup.fault else None,
        "taken": count_taken(answers),
    }
    return show(request, PAGE, template="setup_find.html.j2", draft_id=draft_id, **view)


def _search(gateway: Gateway, draft_id: str, typed: Mapping[str, str]) -> None:
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
    asked = _read_request(gateway, typed, answers.get("search", {}))
    job = submit_job(gateway.database, gateway.queue, asked)
    search = {name: typed.get(name, "").strip() for name in ("network", "port")} | {"secret": asked.secret, "job_id": job.job_id}
    with unit_of_work(gateway.database) as connection:
        setup_drafts.save(connection, draft_id, setup_drafts.load(connection, draft_id) | {"search": search})


def _read_request(gateway: Gateway, typed: Mapping[str, str], before: Mapping[str, Any]) -> FindDevicesRequest:
    """Return what is asked for; a password that was typed is kept in a file, which the request names.

    Raises:
        InvalidInputError: something that was typed is not what it should be.
    """
    network, port, secret = (typed.get(name, "").strip() for name in ("network", "port", "secret"))
    named = require_home_network(network)
    # What was typed for this address before is shown to it again.
    secret = secret or (before["secret"] or "" if before.get("network") == network else "")
    try:
        asked = FindDevicesRequest.model_validate({"network": named, "port": port or None, "secret": secret or None})
    except ValidationError as exc:
        if exc.errors()[0]["loc"] == ("secret",):
            raise refuse("device-secret-missing", field="secret", value=secret, path=secret) from exc
        raise refuse("port-unreadable", field="port", value=port) from exc
    login = DeviceSecret(typed.get("user", "").strip(), typed.get("password", ""))
    if "/" in named and (any(login) or secret):
        raise refuse("network-secret-place", field="network", value=network)
    return asked.model_copy(update={"secret": store_device_secret(login, named, gateway.settings.data_folder)}) if any(login) else asked


def _read_found(job: Job | None) -> FoundDevices:
    return FoundDevices(network="", devices=[]) if job is None or job.reply is None else FoundDevices.model_validate(job.reply)
