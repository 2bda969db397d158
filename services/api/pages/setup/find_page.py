"""Device discovery in set-up: search a network for devices that Luna can control directly, and add
each to the answers by a click.

Sensors and commands of a Home Assistant are proposed too; nothing is written to it.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from luna.contracts.device_search import FindDevicesRequest, FoundDevices, NetworkDevice
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
from services.api.pages.setup.composition import TAKEN, battery_names, list_taken_sensors
from services.api.pages.setup.control_methods import METHODS, guess_words
from services.api.pages.setup.data_step import SENSOR, offer_roles, view_access
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import MOST_DEVICES, write_numbers
from services.api.pages.setup.home_assistant import Lookup, guess_sensor, look_up, roles_for
from services.api.pages.setup.pages import PAGE, DraftId, Typed
from services.api.pages.setup.server_access import HOME_ASSISTANT
from services.api.routing import ResourceRouter

# Fields of an inverter's connection, with the part of a found device.
_PLACE = {
    "host_place": "host",
    "port_number": "port",
    "unit_number": "unit",
    "prefix_text": "prefix",
    "secret_text": "secret",
}
ENTITY_SOURCE = "home_assistant"
# Fields of the entities that control a battery; the inverter's words for modes are the options of
# the mode's entity.
COMMAND_ENTITIES = ("mode_place", "power_place", "target_place")
Offer = list[tuple[str, list[tuple[str, str]], str]]

router = ResourceRouter(route_class=PageRoute)


@router.page("GET", "/ui/setup/{draft_id}/find", "administer")
def show_device_search(
    draft_id: DraftId,
    request: Request,
    gateway: CurrentGateway,
    *,
    look: Annotated[bool, Query()] = False,
) -> Response:
    """Show which network is asked, how far that is, and what was found.

    ``look``: what Home Assistant has as well.
    """
    return _show(draft_id, request, gateway, lookup=_look_up(gateway) if look else None)


@router.page("POST", "/ui/setup/{draft_id}/find", "administer")
def search_devices(
    draft_id: DraftId, request: Request, typed: Typed, gateway: CurrentGateway
) -> Response:
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
            # The job may have ended meanwhile.
            with suppress(ConflictError):
                cancel_job(gateway.database, gateway.queue, search["job_id"])
    elif verb == "connect":
        HOME_ASSISTANT.store(gateway, typed)
        faults = {
            fault.field: fault
            for fault in HOME_ASSISTANT.find_faults(gateway.settings, typed.get("url", "").strip())
        }
        return (
            _show(draft_id, request, gateway, faults=faults)
            if faults
            else _lead(draft_id, "?look=1#home-assistant")
        )
    elif verb == "entities":
        lookup = _look_up(gateway)
        if lookup is None or lookup.fault:
            return _show(draft_id, request, gateway, lookup=lookup)
        with unit_of_work(gateway.database) as connection:
            setup_drafts.save(
                connection,
                draft_id,
                take_entities(setup_drafts.load(connection, draft_id), typed, lookup),
            )
        return _lead(draft_id, "#home-assistant")
    else:
        with unit_of_work(gateway.database) as connection:
            answers = setup_drafts.load(connection, draft_id)
            found = _read_found(
                jobs.load(connection, answers["search"]["job_id"]) if "search" in answers else None
            ).devices
            if place.isdecimal() and int(place) < len(found):
                change = take_device if verb == "take" else leave_device
                setup_drafts.save(connection, draft_id, change(answers, found[int(place)]))
    return _lead(draft_id)


def _lead(draft_id: str, place: str = "") -> Response:
    return RedirectResponse(f"/ui/setup/{draft_id}/find{place}", 303)


def _look_up(gateway: Gateway) -> Lookup | None:
    """Query Home Assistant; None if none is configured."""
    return (
        look_up(HomeAssistantAccess.of(gateway.settings))
        if HOME_ASSISTANT.is_set(gateway.settings)
        else None
    )


def _show(
    draft_id: str,
    request: Request,
    gateway: Gateway,
    *,
    typed: Mapping[str, str] | None = None,
    **outcome: Any,
) -> Response:
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
        job = jobs.load(connection, answers["search"]["job_id"]) if "search" in answers else None
    networks = propose_networks()
    lookup = outcome.get("lookup")
    typed = {
        "port": "",
        "user": "",
        "secret": "",
        "network": networks[0] if networks else "",
    } | dict(typed or answers.get("search", {}))
    search = _read_found(job)
    found = [(device, is_taken(answers, device)) for device in search.devices]
    view: dict[str, Any] = {
        "networks": networks,
        # Containers do not share a folder: there the operator writes the file of the secret.
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
    """Submit the search; a typed password is stored in a file, which the request names.

    Raises:
        InvalidInputError: a field is invalid.
    """
    with unit_of_work(gateway.database) as connection:
        before = setup_drafts.load(connection, draft_id).get("search", {})
    network, port, secret = (typed.get(name, "").strip() for name in ("network", "port", "secret"))
    home_network = require_home_network(network)
    # Reuse the secret that was typed for this address before.
    shown = secret or (before["secret"] or "" if before.get("network") == network else "")
    try:
        request = FindDevicesRequest.model_validate(
            {"network": home_network, "port": port or None, "secret": shown or None}
        )
    except ValidationError as exc:
        if exc.errors()[0]["loc"] == ("secret",):
            raise refuse("device-secret-missing", field="secret", value=shown, path=shown) from exc
        raise refuse("port-unreadable", field="port", value=port) from exc
    login = DeviceSecret(typed.get("user", "").strip(), typed.get("password", ""))
    if "/" in home_network and (any(login) or shown):
        raise refuse("network-secret-place", field="network", value=network)
    if any(login):
        request = request.model_copy(
            update={
                "secret": store_device_secret(login, home_network, gateway.settings.data_folder)
            }
        )
    job = submit_job(gateway.database, gateway.queue, request)
    search = {"network": network, "port": port, "secret": request.secret, "job_id": job.job_id}
    with unit_of_work(gateway.database) as connection:
        setup_drafts.save(
            connection, draft_id, setup_drafts.load(connection, draft_id) | {"search": search}
        )


def _read_found(job: Job | None) -> FoundDevices:
    return (
        FoundDevices(network="", devices=[])
        if job is None or job.reply is None
        else FoundDevices.model_validate(job.reply)
    )


def is_taken(answers: Mapping[str, Any], device: NetworkDevice) -> bool:
    """Return whether the answers contain a device."""
    return any(_is_same(each, device) for each in answers.get(TAKEN, []))


def take_device(answers: Mapping[str, Any], device: NetworkDevice) -> dict[str, Any]:
    """Add a found device to the answers: an inverter controls the next battery, and its readings
    are recorded.
    """
    if is_taken(answers, device):
        return dict(answers)
    taken = answers.get(TAKEN, [])
    document = device.model_dump(
        mode="json",
        include={"host", "port", "unit", "prefix", "secret", "profile", "kind", "reads"},
    )
    after = {**answers, TAKEN: [*taken, document]}
    place = sum(each["kind"] == "battery_inverter" for each in taken)
    return (
        after
        if device.kind == "meter" or place >= MOST_DEVICES
        else _tell_battery(after, device, place)
    )


def leave_device(answers: Mapping[str, Any], device: NetworkDevice) -> dict[str, Any]:
    """Remove a device from the answers."""
    after = {
        **answers,
        TAKEN: [each for each in answers.get(TAKEN, []) if not _is_same(each, device)],
    }
    control = answers.get("control") or {}
    place = _write_place(device)
    told = {
        name: typed
        for name, typed in control.get("profile", {}).items()
        if {field: typed.get(field, "") for field in _PLACE} != place
    }
    return (
        after
        if control.get("by") != "profile"
        else after | {"control": {**control, "profile": told} if told else {"by": "advice"}}
    )


def _tell_battery(answers: dict[str, Any], device: NetworkDevice, place: int) -> dict[str, Any]:
    batteries = [dict(each) for each in answers.get("batteries", [])]
    if place == len(batteries):
        batteries.append(DEVICE_FORMS["batteries"].begin())
    limits = [
        limit for limit in (device.charge_limit_kw, device.discharge_limit_kw) if limit is not None
    ]
    if limits and not batteries[place].get("power_kw"):
        batteries[place] |= write_numbers(power_kw=min(limits))
    if device.capacity_kwh is not None and not batteries[place].get("capacity_kwh"):
        batteries[place] |= write_numbers(capacity_kwh=device.capacity_kwh)
    answers = answers | {"batteries": batteries}
    typed = {"profile_place": device.profile, **_write_place(device)}
    control = answers.get("control") or {}
    told = control.get("profile", {}) | {battery_names(answers)[place]: typed}
    return answers | {"control": {**control, "by": "profile", "profile": told}}


def _is_same(taken: Mapping[str, Any], device: NetworkDevice) -> bool:
    return all(
        taken[part] == getattr(device, part)
        for part in ("host", "port", "unit", "prefix", "profile")
    )


def _write_place(device: NetworkDevice) -> dict[str, str]:
    return {
        field: "" if (value := getattr(device, part)) is None else str(value)
        for field, part in _PLACE.items()
    }


def takes_sensors(answers: Mapping[str, Any]) -> bool:
    """Return whether sensors can be chosen; a stored site keeps its own."""
    return "changes" not in answers


def takes_commands(answers: Mapping[str, Any]) -> bool:
    """Return whether there is a battery that is not controlled directly, and whose control can be
    edited.
    """
    told = (answers.get("control") or {}).get("by")
    return (
        bool(battery_names(answers))
        and told != "profile"
        and "control" not in answers.get("fixed", ())
    )


def count_taken(answers: Mapping[str, Any]) -> tuple[int, int]:
    """Return the numbers of sensors and of batteries controlled through Home Assistant."""
    sensors = (
        answers.get("sensors", {}) if answers.get("data", {}).get("source") == ENTITY_SOURCE else {}
    )
    control = answers.get("control") or {}
    return sum(bool(entity) for entity in sensors.values()), len(
        control.get(ENTITY_SOURCE, {})
    ) if control.get("by") == ENTITY_SOURCE else 0


def offer_entities(answers: Mapping[str, Any], lookup: Lookup) -> tuple[Offer, dict[str, Offer]]:
    """Return the choices and the default for each role, and for each command by battery name."""
    measured = list_taken_sensors(answers).keys()
    # Also roles of device kinds that were not entered, if Home Assistant has a likely sensor.
    wanted = roles_for(answers)
    every = (
        roles_for({section: [ENTITY_SOURCE] for section in DEVICE_FORMS})
        if takes_sensors(answers)
        else []
    )
    roles = [
        role
        for role in every
        if role not in measured and (role in wanted or guess_sensor(role, lookup))
    ]
    proposed = (
        METHODS[ENTITY_SOURCE].fill(
            battery_names(answers), (answers.get("control") or {}).get(ENTITY_SOURCE, {}), lookup
        )
        if takes_commands(answers)
        else {}
    )
    commands = {}
    for place, (name, fields) in enumerate(proposed.items()):
        offers = [
            (
                f"{ENTITY_SOURCE}-{place}-{asked}",
                METHODS[ENTITY_SOURCE].offer(asked, fields, lookup) or [],
                fields.get(asked, ""),
            )
            for asked in COMMAND_ENTITIES
        ]
        commands[name] = [offer for offer in offers if offer[1]]
    return [offer for offer in offer_roles(answers, lookup, roles) if offer[1]], commands


def take_entities(
    answers: Mapping[str, Any], typed: Mapping[str, str], lookup: Lookup
) -> dict[str, Any]:
    """Add the chosen entities to the answers, and an empty device of each kind that one of them
    measures and that was not entered.
    """
    after = dict(answers)
    if takes_sensors(answers):
        chosen = {
            name.removeprefix(SENSOR): entity
            for name, entity in typed.items()
            if name.startswith(SENSOR)
        }
        after |= {
            "sensors": answers.get("sensors", {}) | chosen,
            "data": answers.get("data", {}) | {"source": ENTITY_SOURCE},
        }
        for section, form in DEVICE_FORMS.items():
            if not answers.get(section) and any(chosen.get(role) for role in form.sensors):
                after[section] = [form.begin()]
    commands = {each.entity: each for each in lookup.commands}
    told = dict[str, dict[str, str]]()
    for place, battery in enumerate(battery_names(answers) if takes_commands(answers) else ()):
        places = {
            asked: typed.get(f"{ENTITY_SOURCE}-{place}-{asked}", "") for asked in COMMAND_ENTITIES
        }
        if (mode := commands.get(places["mode_place"])) is not None:
            soc = guess_sensor(
                "battery_soc",
                lookup.without({fields["soc_place"] for fields in told.values()}).nearest(
                    mode.entity
                ),
            )
            power = commands.get(places["power_place"])
            told[battery] = (
                {"soc_place": soc, "power_unit": power.unit if power else "W"}
                | places
                | guess_words(mode.options)
            )
    control = answers.get("control") or {}
    return (
        after
        | {
            "control": control
            | {"by": ENTITY_SOURCE, ENTITY_SOURCE: control.get(ENTITY_SOURCE, {}) | told}
        }
        if told
        else after
    )
