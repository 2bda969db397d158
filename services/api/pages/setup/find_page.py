"""Device discovery in set-up: find devices in a network and add each by a click.

Sensors and commands of a Home Assistant are proposed too; nothing is written to it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection

from luna.contracts.device_search import FindDevicesRequest, FoundDevices, NetworkDevice
from luna.contracts.job import Job
from luna.drivers.device_secrets import DeviceSecret, store_device_secret
from luna.drivers.networks import propose_networks, require_home_network
from luna.energy.errors import ConflictError, InvalidInputError
from luna.energy.refusals import refuse
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database import jobs, setup_drafts
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.jobs import cancel_job, submit_job
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.job_part import find_progress
from services.api.pages.layout import PageRoute, show
from services.api.pages.setup.composition import (
    TAKEN,
    battery_names,
    controlled_names,
    is_southern,
    list_taken_sensors,
)
from services.api.pages.setup.control_methods import METHODS, guess_words
from services.api.pages.setup.data_step import (
    SENSOR,
    list_sources,
    offer_roles,
    view_access,
)
from services.api.pages.setup.device_control import (
    CONTROL_FORMS,
    DEVICES,
    WAY,
    ControlForm,
    leave_connection,
    write_connection,
)
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import MOST_DEVICES, write_numbers
from services.api.pages.setup.home_assistant import Lookup, guess_sensor, look_up, roles_for
from services.api.pages.setup.pages import PAGE, DraftId, Typed
from services.api.pages.setup.server_access import HOME_ASSISTANT
from services.api.routing import ResourceRouter

# Fields of an inverter's connection, with the part of a found device.
_ADDRESS_FIELDS = {
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
    """Show the network, the progress of the search, and the devices found.

    ``look``: the entities of Home Assistant as well.
    """
    return _show(draft_id, request, gateway, lookup=_look_up(gateway) if look else None)


@router.page("POST", "/ui/setup/{draft_id}/find", "administer")
def search_devices(
    draft_id: DraftId, request: Request, typed: Typed, gateway: CurrentGateway
) -> Response:
    """Begin or stop a search, connect Home Assistant, or take or leave what was found."""
    verb, _, place = typed.get("go", "search").partition("-")
    if verb == "search":
        try:
            _search(gateway, draft_id, typed)
        except InvalidInputError as refusal:
            return _show(draft_id, request, gateway, typed=typed, refusal=refusal)
    elif verb == "stop":
        _stop_search(gateway, draft_id)
    elif verb == "connect":
        HOME_ASSISTANT.store(gateway, typed)
        url = typed.get("url", "").strip()
        faults = {fault.field: fault for fault in HOME_ASSISTANT.find_faults(gateway.settings, url)}
        if faults:
            return _show(draft_id, request, gateway, faults=faults)
        return _lead(draft_id, "?look=1#home-assistant")
    elif verb == "entities":
        lookup = _look_up(gateway)
        if lookup is None or lookup.fault:
            return _show(draft_id, request, gateway, lookup=lookup)
        with unit_of_work(gateway.database) as connection:
            answers = setup_drafts.load(connection, draft_id)
            setup_drafts.save(connection, draft_id, take_entities(answers, typed, lookup))
        return _lead(draft_id, "#home-assistant")
    elif place.isdecimal():
        _change_device(gateway, draft_id, int(place), takes=verb == "take")
    return _lead(draft_id)


def _stop_search(gateway: Gateway, draft_id: str) -> None:
    with unit_of_work(gateway.database) as connection:
        search = setup_drafts.load(connection, draft_id).get("search")
    if search is not None:
        # The job may have ended meanwhile.
        with suppress(ConflictError):
            cancel_job(gateway.database, gateway.queue, search["job_id"])


def _change_device(gateway: Gateway, draft_id: str, place: int, *, takes: bool) -> None:
    """Add the found device at a place to the answers, or remove it from them."""
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
        devices = _read_found(_load_search(connection, answers)).devices
        if place < len(devices):
            change = take_device if takes else leave_device
            setup_drafts.save(connection, draft_id, change(answers, devices[place]))


def _load_search(connection: Connection, answers: Mapping[str, Any]) -> Job | None:
    if "search" not in answers:
        return None
    return jobs.load(connection, answers["search"]["job_id"])


def _lead(draft_id: str, place: str = "") -> Response:
    return RedirectResponse(f"/ui/setup/{draft_id}/find{place}", 303)


def _look_up(gateway: Gateway) -> Lookup | None:
    """Query Home Assistant; None if none is configured."""
    if not HOME_ASSISTANT.is_set(gateway.settings):
        return None
    return look_up(HomeAssistantAccess.of(gateway.settings))


def _show(
    draft_id: str,
    request: Request,
    gateway: Gateway,
    *,
    typed: Mapping[str, str] | None = None,
    lookup: Lookup | None = None,
    **outcome: Any,
) -> Response:
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
        job = _load_search(connection, answers)
    networks = propose_networks()
    fields = {"port": "", "user": "", "secret": "", "network": networks[0] if networks else ""}
    fields |= typed or answers.get("search", {})
    search = _read_found(job)
    offers = None
    if lookup and not lookup.fault:
        offers = offer_entities(answers, lookup)
    view: dict[str, Any] = {
        "networks": networks,
        # Containers do not share a folder: there the operator writes the file of the secret.
        "keeps_secrets": gateway.settings.database_url is None,
        "typed": fields,
        "refusal": None,
        "job": job,
        "progress": job and find_progress(gateway, job),
        "found": [(device, is_taken(answers, device)) for device in search.devices],
        "missing_extra": search.missing_extra,
        "faults": {},
        "asks_home_assistant": takes_sensors(answers) or takes_commands(answers),
        "home_assistant": view_access(gateway, HOME_ASSISTANT, "", None),
        "connected": HOME_ASSISTANT.is_set(gateway.settings),
        "lookup": lookup,
        "offers": offers,
        "sources": list_sources(lookup, offers[0]) if lookup and offers else {},
        "taken": count_taken(answers),
        "charge_point_address": _charge_point_address(request, gateway),
    }
    return show(request, PAGE, template="setup_find.html.j2", draft_id=draft_id, **(view | outcome))


def _charge_point_address(request: Request, gateway: Gateway) -> str:
    """Return the address to enter at a charger with OCPP, empty without OCPP."""
    port = gateway.settings.ocpp_port
    host = request.url.hostname or ""
    return f"ws://{host}:{port}/ocpp/garage" if port and host else ""


def _search(gateway: Gateway, draft_id: str, typed: Mapping[str, str]) -> None:
    """Submit the search; a typed password is stored in a file, which the request names.

    Raises:
        InvalidInputError: a field is invalid.
    """
    with unit_of_work(gateway.database) as connection:
        before = setup_drafts.load(connection, draft_id).get("search", {})
    network = typed.get("network", "").strip()
    port = typed.get("port", "").strip()
    home_network = require_home_network(network)
    secret_path = typed.get("secret", "").strip()
    if not secret_path and before.get("network") == network:
        # Reuse the secret that was typed for this address before.
        secret_path = before["secret"] or ""
    document = {"network": home_network, "port": port or None, "secret": secret_path or None}
    try:
        request = FindDevicesRequest.model_validate(document)
    except ValidationError as exc:
        if exc.errors()[0]["loc"] == ("secret",):
            raise refuse(
                "device-secret-missing", field="secret", value=secret_path, path=secret_path
            ) from exc
        raise refuse("port-unreadable", field="port", value=port) from exc
    login = DeviceSecret(typed.get("user", "").strip(), typed.get("password", ""))
    if "/" in home_network and (any(login) or secret_path):
        raise refuse("network-secret-place", field="network", value=network)
    if any(login):
        stored = store_device_secret(login, home_network, gateway.settings.data_folder)
        request = request.model_copy(update={"secret": stored})
    job = submit_job(gateway.database, gateway.queue, request)
    search = {"network": network, "port": port, "secret": request.secret, "job_id": job.job_id}
    with unit_of_work(gateway.database) as connection:
        draft = setup_drafts.load(connection, draft_id)
        setup_drafts.save(connection, draft_id, draft | {"search": search})


def _read_found(job: Job | None) -> FoundDevices:
    if job is None or job.reply is None:
        return FoundDevices(network="", devices=[])
    return FoundDevices.model_validate(job.reply)


def is_taken(answers: Mapping[str, Any], device: NetworkDevice) -> bool:
    """Return whether the answers contain a device."""
    return any(_is_same(taken, device) for taken in answers.get(TAKEN, []))


def take_device(answers: Mapping[str, Any], device: NetworkDevice) -> dict[str, Any]:
    """Add a found device to the answers.

    An inverter controls the next battery, and its readings are recorded.
    """
    if is_taken(answers, device):
        return dict(answers)
    taken = answers.get(TAKEN, [])
    fields = {"host", "port", "unit", "prefix", "secret", "profile", "kind", "reads"}
    document = device.model_dump(mode="json", include=fields)
    after = {**answers, TAKEN: [*taken, document]}
    place = sum(other["kind"] == device.kind for other in taken)
    if place >= MOST_DEVICES:
        return after
    if device.kind == "battery_inverter":
        return _connect_battery(after, device, place)
    for form in CONTROL_FORMS.values():
        if device.kind == form.profile_kind and device.commanded:
            return _connect_device(after, form, device, place)
    return after


def leave_device(answers: Mapping[str, Any], device: NetworkDevice) -> dict[str, Any]:
    """Remove a device from the answers."""
    others = [taken for taken in answers.get(TAKEN, []) if not _is_same(taken, device)]
    after = {**answers, TAKEN: others}
    control = leave_connection(answers.get("control") or {}, device.model_dump(mode="json"))
    if control:
        after["control"] = control
    if control.get("by") != "profile":
        return after
    address = _write_address(device)

    def has_address(typed: Mapping[str, str]) -> bool:
        return all(typed.get(field, "") == text for field, text in address.items())

    before = control.get("profile", {})
    connections = {name: typed for name, typed in before.items() if not has_address(typed)}
    if not connections:
        without = {part: value for part, value in control.items() if part != "profile"}
        return after | {"control": without | {"by": "advice"}}
    return after | {"control": {**control, "profile": connections}}


def _connect_battery(answers: dict[str, Any], device: NetworkDevice, place: int) -> dict[str, Any]:
    batteries = [dict(battery) for battery in answers.get("batteries", [])]
    if place == len(batteries):
        batteries.append(DEVICE_FORMS["batteries"].begin())
    battery = batteries[place]
    both_limits = (device.charge_limit_kw, device.discharge_limit_kw)
    limits = [limit for limit in both_limits if limit is not None]
    if limits and not battery.get("power_kw"):
        battery |= write_numbers(power_kw=min(limits))
    if device.capacity_kwh is not None and not battery.get("capacity_kwh"):
        battery |= write_numbers(capacity_kwh=device.capacity_kwh)
    answers = answers | {"batteries": batteries}
    if not device.commanded:
        return answers
    control = answers.get("control") or {}
    name = battery_names(answers)[place]
    connection = {"profile_place": device.profile, **_write_address(device)}
    connections = control.get("profile", {}) | {name: connection}
    return answers | {"control": {**control, "by": "profile", "profile": connections}}


def _connect_device(
    answers: dict[str, Any], form: ControlForm, device: NetworkDevice, place: int
) -> dict[str, Any]:
    """Have a found charger control the next car, or a found switch the next water heater."""
    section = form.section
    devices = [dict(typed) for typed in answers.get(section, [])]
    if place == len(devices):
        devices.append(DEVICE_FORMS[section].begin())
    answers = answers | {section: devices}
    name = controlled_names(answers)[section][place]
    control = answers.get("control") or {"by": "advice"}
    way, connection = write_connection(device.model_dump(mode="json"))
    controlled = dict(control.get(DEVICES, {}))
    controlled[section] = controlled.get(section, {}) | {name: {WAY: way, way: connection}}
    return answers | {"control": {**control, DEVICES: controlled}}


def _is_same(taken: Mapping[str, Any], device: NetworkDevice) -> bool:
    parts = ("host", "port", "unit", "prefix", "profile")
    return all(taken[part] == getattr(device, part) for part in parts)


def _write_address(device: NetworkDevice) -> dict[str, str]:
    parts = {field: getattr(device, part) for field, part in _ADDRESS_FIELDS.items()}
    return {field: "" if value is None else str(value) for field, value in parts.items()}


def takes_sensors(answers: Mapping[str, Any]) -> bool:
    """Return whether sensors can be chosen; a stored site keeps its own."""
    return "changes" not in answers


def takes_commands(answers: Mapping[str, Any]) -> bool:
    """Return whether a battery's control can be edited and is not direct."""
    method = (answers.get("control") or {}).get("by")
    if method == "profile" or "control" in answers.get("fixed", ()):
        return False
    return bool(battery_names(answers))


def count_taken(answers: Mapping[str, Any]) -> tuple[int, int]:
    """Return the numbers of sensors and of batteries controlled through Home Assistant."""
    sensor_count = 0
    if answers.get("data", {}).get("source") == ENTITY_SOURCE:
        sensor_count = sum(bool(entity) for entity in answers.get("sensors", {}).values())
    battery_count = 0
    control = answers.get("control") or {}
    if control.get("by") == ENTITY_SOURCE:
        battery_count = len(control.get(ENTITY_SOURCE, {}))
    return sensor_count, battery_count


def offer_entities(answers: Mapping[str, Any], lookup: Lookup) -> tuple[Offer, dict[str, Offer]]:
    """Return the choices and the default for each role, and for each command by battery name."""
    roles = _list_offered_roles(answers, lookup) if takes_sensors(answers) else []
    sensors = [offer for offer in offer_roles(answers, lookup, roles) if offer[1]]
    commands: dict[str, Offer] = {}
    if not takes_commands(answers):
        return sensors, commands
    method = METHODS[ENTITY_SOURCE]
    typed = (answers.get("control") or {}).get(ENTITY_SOURCE, {})
    proposed = method.fill(battery_names(answers), typed, lookup)
    for place, (name, fields) in enumerate(proposed.items()):
        commands[name] = []
        for field in COMMAND_ENTITIES:
            choices = method.offer(field, fields, lookup)
            if choices:
                default = fields.get(field, "")
                commands[name].append((f"{ENTITY_SOURCE}-{place}-{field}", choices, default))
    return sensors, commands


def _list_offered_roles(answers: Mapping[str, Any], lookup: Lookup) -> list[str]:
    """Return the roles of the entered devices, and others with a likely sensor."""
    measured = list_taken_sensors(answers).keys()
    expected = roles_for(answers)

    def is_offered(role: str) -> bool:
        return role not in measured and (role in expected or bool(guess_sensor(role, lookup)))

    every_role = roles_for({section: [ENTITY_SOURCE] for section in DEVICE_FORMS})
    return [role for role in every_role if is_offered(role)]


def take_entities(
    answers: Mapping[str, Any], typed: Mapping[str, str], lookup: Lookup
) -> dict[str, Any]:
    """Add the chosen entities to the answers.

    An empty device is added for each kind that one of them measures and that was not entered.
    """
    after = dict(answers)
    if takes_sensors(answers):
        chosen = {}
        for name, entity in typed.items():
            if name.startswith(SENSOR):
                chosen[name.removeprefix(SENSOR)] = entity
        after["sensors"] = answers.get("sensors", {}) | chosen
        after["data"] = answers.get("data", {}) | {"source": ENTITY_SOURCE}
        for section, form in DEVICE_FORMS.items():
            if not answers.get(section) and any(chosen.get(role) for role in form.sensors):
                after[section] = [form.begin(southern=is_southern(answers))]
    if takes_commands(answers):
        batteries = _read_commands(battery_names(answers), typed, lookup)
        if batteries:
            control = answers.get("control") or {}
            batteries = control.get(ENTITY_SOURCE, {}) | batteries
            after["control"] = control | {"by": ENTITY_SOURCE, ENTITY_SOURCE: batteries}
    return after


def _read_commands(
    batteries: Sequence[str], typed: Mapping[str, str], lookup: Lookup
) -> dict[str, dict[str, str]]:
    """Return the fields of each battery for whose mode an entity was chosen."""
    commands = {command.entity: command for command in lookup.commands}
    fields_by_battery: dict[str, dict[str, str]] = {}
    for place, battery in enumerate(batteries):
        prefix = f"{ENTITY_SOURCE}-{place}-"
        entities = {field: typed.get(f"{prefix}{field}", "") for field in COMMAND_ENTITIES}
        mode = commands.get(entities["mode_place"])
        if mode is None:
            continue
        chosen = {fields["soc_place"] for fields in fields_by_battery.values()}
        soc = guess_sensor("battery_soc", lookup.without(chosen).nearest(mode.entity))
        power = commands.get(entities["power_place"])
        fields = {"soc_place": soc, "power_unit": power.unit if power else "W"}
        fields_by_battery[battery] = fields | entities | guess_words(mode.options)
    return fields_by_battery
