"""Pages of the steps of set-up: each shows its form, stores it in a draft and leads on.

Nothing typed is lost, whatever is wrong with it.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from sqlalchemy import Connection

from luna.contracts.simulated_home import RemoveSimulatedHomeRequest
from luna.energy.devices.battery import Mode
from luna.energy.errors import ConflictError, InvalidInputError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.sensor_changes import ChangedSensors
from luna.platform.database import control, plans, setup_drafts, site_changes, site_removal, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.site_changes import SiteChange
from luna.platform.own_sites import require_own
from luna.platform.queue.jobs import cancel_job
from luna.platform.site_name import free_identifier
from luna.simulated_home.files import HomeFiles
from luna.simulated_home.site import SITE_NAME
from luna.words import mode
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.pages.battery_trial import begin_trial, view_trial
from services.api.pages.layout import (
    Page,
    PageRoute,
    Reader,
    find_countries,
    show,
    words_of,
)
from services.api.pages.setup import control_step, data_step, supplier_key, views
from services.api.pages.setup.composition import (
    STEPS,
    compose,
    controlled_names,
    country_of,
    numbers_of,
    timezone_of,
)
from services.api.pages.setup.control_methods import read_vias
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import MOST_DEVICES
from services.api.pages.setup.draft_answers import change_devices, merge_step
from services.api.pages.setup.editing import (
    CHANGEABLE,
    change_site,
    list_changed_steps,
    view_changes,
)
from services.api.pages.setup.fields import (
    GRID,
    ON,
    SITE,
    FieldFault,
    defaults_of,
)
from services.api.pages.setup.imported import compose_site
from services.api.pages.setup.network import find_home_assistants
from services.api.pages.setup.tariff_preview import preview_tariff
from services.api.pages.setup.tariff_views import view_tariff
from services.api.routing import ResourceRouter

PAGE = Page("setup", "/ui/setup", "administer")
EXAMPLES = ("demo", "simulated")
# Jobs of the home that are under way are ended first.
REMOVAL_TIMEOUT = timedelta(minutes=2)
Step = Literal["site", "devices", "tariff", "data", "control", "review"]


class StepQuery(BaseModel):
    """Additional parts of a step: faults, a server's entities, Home Assistants nearby."""

    check: bool = False
    look: bool = False
    find: bool = False


DraftId = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]

router = ResourceRouter(route_class=PageRoute)


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form; of a repeated one the last counts."""
    form = await request.form(max_files=0)
    return {name: value[:2000] for name, value in form.multi_items() if isinstance(value, str)}


Typed = Annotated[dict[str, str], Depends(read_form)]


@router.page("GET", "/ui/setup", "administer")
def welcome(request: Request, gateway: CurrentGateway) -> Response:
    """Show the ways in: one's own home, a simulated one, or the demo's."""
    with unit_of_work(gateway.database) as connection:
        names = sites.display_names(connection)
    if SITE_NAME in names:
        names = names | {SITE_NAME: words_of(request, PAGE)("simulated_name")}
    # A simulated home stands beside `luna up` with servers of its own, and no broker of the
    # owner's.
    settings = gateway.settings
    has_own_servers = settings.redis_url is None and (
        not settings.mqtt_url or HomeFiles(settings.data_folder).is_there
    )
    offers_simulated = has_own_servers and SITE_NAME not in names
    return show(request, PAGE, names=[*names.values()], offers_simulated=offers_simulated)


@router.page("POST", "/ui/setup/remove-simulated-home", "administer")
def remove_simulated_home(gateway: CurrentGateway) -> Response:
    """Remove the simulated home and all its data, and lead back to the beginning."""
    # After a second press it is gone already.
    if HomeFiles(gateway.settings.data_folder).is_there:
        with unit_of_work(gateway.database) as connection:
            open_jobs = site_removal.list_open_jobs(connection, SITE_NAME)
        for job in open_jobs:
            # The job may have ended meanwhile.
            with suppress(ConflictError):
                cancel_job(gateway.database, gateway.queue, job)
        gateway.queue.call(RemoveSimulatedHomeRequest(), timeout=REMOVAL_TIMEOUT)
    return RedirectResponse("/", 303)


@router.page("POST", "/ui/setup", "administer")
def begin_setup(typed: Typed, request: Request, gateway: CurrentGateway) -> Response:
    """Begin a draft, and lead to its first step or, for an example, straight to its plan."""
    kind = typed.get("kind")
    example = kind if kind in EXAMPLES else None
    with unit_of_work(gateway.database) as connection:
        if example:
            answers: dict[str, Any] = {"example": example}
        else:
            default_name = words_of(request, PAGE)("default_name")
            answers = _default_answers(default_name, {*sites.display_names(connection).values()})
        draft_id = setup_drafts.create(connection, answers)
    return _lead(draft_id, "plan" if example else STEPS[0])


def _default_answers(default_name: str, taken_names: set[str]) -> dict[str, Any]:
    """Return the first answers of a draft, with a free name for its site."""
    site = defaults_of(SITE) | {"name": default_name}
    number = 1
    while site["name"] in taken_names:
        number += 1
        site["name"] = f"{default_name} {number}"
    answers: dict[str, Any] = {"site": site, "data": {"source": "nothing"}}
    for section, form in DEVICE_FORMS.items():
        answers[section] = [form.begin()] if form.first else []
    return answers


@router.page("GET", "/ui/setup/guess", "administer")
def guess_place(request: Request, place: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Show the clock, currency and market of a place."""
    answers = {"site": {"place": place}}
    return show(
        request,
        PAGE,
        template="setup_guess.html.j2",
        country=country_of(answers),
        timezone=timezone_of(answers),
    )


@router.page("GET", "/ui/setup/{draft_id}/{step}", "administer")
def show_setup_step(
    draft_id: DraftId,
    step: Step,
    request: Request,
    gateway: CurrentGateway,
    *,
    query: Annotated[StepQuery, Query()],
) -> Response:
    """Show a step with the typed values and the parts of the query."""
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
    faults: dict[str, FieldFault] = {}
    if query.check or step == "review":
        faults = _faults(gateway, answers, step)
    context: dict[str, Any] = {
        "draft_id": draft_id,
        "step": step,
        "steps": _steps(answers),
        "answers": answers,
        "faults": faults,
    }
    servers = find_home_assistants() if query.find and step in {"data", "control"} else None
    if step == "data":
        context |= data_step.view_data(gateway, answers, look=query.look, servers=servers)
    elif step == "control":
        context |= control_step.view_control(gateway, answers, look=query.look, servers=servers)
        context["ocpp_address"] = _write_ocpp_address(gateway, request)
        context |= _view_sent(gateway, request, answers)
    elif step == "site":
        near = find_countries(request)
        context |= views.view_site(answers, words_of(request, PAGE), faults, near=near)
    elif step == "devices":
        context["devices"] = {section: form.entries for section, form in DEVICE_FORMS.items()}
        context |= {"grid": GRID, "typed": answers.get("grid", {}), "most": MOST_DEVICES}
    elif step == "tariff":
        language = Reader.of(request).language
        words = words_of(request, PAGE)
        context |= view_tariff(answers, words, language)
        context["keys"] = supplier_key.view_keys(gateway, answers)
        context["preview"] = preview_tariff(answers, words, language, gateway.clock.now())
    else:
        context |= _view_review(gateway, request, answers)
    return show(request, PAGE, template=f"setup_{step}.html.j2", **context)


def _write_ocpp_address(gateway: Gateway, request: Request) -> str:
    """Return the address for a charge point, "" if none may connect."""
    port = gateway.settings.ocpp_port
    return f"ws://{request.url.hostname}:{port}/ocpp/" if port else ""


def _view_sent(gateway: Gateway, request: Request, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the commands that the typed control would send, in each mode and by the plan."""
    now = gateway.clock.now()
    plan = None
    with unit_of_work(gateway.database) as connection:
        site = _compose_over(connection, answers)
        if site is not None and "changes" in answers:
            plan = plans.read_due(connection, site.name, now)
    language = Reader.of(request).language

    def say_mode(name: Mode) -> str:
        return mode(name, language=language).full

    trial = None
    tried = answers.get("tried", {})
    # A trial at another address says nothing about this one.
    if tried and tried["control"] == answers.get("control"):
        trial = view_trial(gateway, tried["job_id"], address="control", language=language)
    return {
        "sent": control_step.view_sent(gateway, site, plan, now=now),
        "sent_numbers": None if site is None else views.numbers_of_site(site, language),
        "say_mode": say_mode,
        "batteries_count": len(answers.get("batteries", [])),
        "tried": trial,
    }


def _view_review(gateway: Gateway, request: Request, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the change to store, and the sensors with another meaning."""
    words = words_of(request, PAGE)
    language = Reader.of(request).language
    with unit_of_work(gateway.database) as connection:
        change = _compose_change(connection, answers, gateway.clock.now())
    sensors = () if change is None else change.sensors
    review = {
        "changed_sensors": [views.say_sensor_change(sensor, words) for sensor in sensors],
        "clock_changes": change is not None and change.clock is not None,
    }
    if "changes" in answers:
        return review | {"changed": view_changes(answers["before"], answers, words, language)}
    composed = compose(answers)
    assumed = []
    if composed.whole:
        numbers = numbers_of(answers, language)
        assumed = views.view_assumptions(composed.site(), words, numbers)
    return review | {
        "missing_steps": [step for step in STEPS if _faults(gateway, answers, step)],
        "summary_lines": views.view_review(answers, words, language),
        "assumed": assumed,
    }


def _compose_change(
    connection: Connection, answers: Mapping[str, Any], now: datetime
) -> SiteChange | None:
    """Return what storing the answers would change; None if they are not whole."""
    site = _compose_over(connection, answers)
    return None if site is None else site_changes.prepare(connection, site, now=now)


def _compose_over(connection: Connection, answers: Mapping[str, Any]) -> Site | None:
    """Return the site of the answers; None if they are not whole.

    Answers that change a stored site are applied to it.
    """
    if "changes" in answers:
        with suppress(InvalidInputError):
            return change_site(sites.load(connection, answers["changes"]), answers)
        return None
    return _compose(connection, answers) if compose(answers).whole else None


def _compose(connection: Connection, answers: Mapping[str, Any]) -> Site:
    """Return the site of whole answers, with the id under which it is stored.

    A site that cannot be read and is entered anew keeps its id; a new one gets one that is free.
    """
    site = compose_site(answers)
    unreadable = {stored.name for stored in sites.list_unreadable(connection)}
    if "stored" in answers or site.called in unreadable:
        name = str(answers.get("stored", site.called))
    else:
        name = free_identifier(site.name, {*sites.names(connection)} - unreadable)
    return site.model_copy(update={"name": name})


def _prepare(
    connection: Connection, site: Site, typed: Mapping[str, str], now: datetime
) -> SiteChange:
    """Return what storing a site changes, with the choices made under its review."""
    always: ChangedSensors = "always" if typed.get("changed_sensors") == "always" else "from-now"
    return site_changes.prepare(
        connection,
        site,
        now=now,
        changed_sensors=always,
        accept_time_zone=typed.get("accept_time_zone") == ON,
    )


@router.page("POST", "/ui/setup/{draft_id}/{step}", "administer")
def save_setup_step(
    draft_id: DraftId, step: Step, *, typed: Typed, gateway: CurrentGateway, caller: CurrentCaller
) -> Response:
    """Store a step's form in the draft, and lead to the step that follows from the button."""
    button = typed.get("go", "next")
    with unit_of_work(gateway.database) as connection:
        answers = merge_step(setup_drafts.load(connection, draft_id), step, typed)
        if button.startswith(("add-", "remove-")):
            change_devices(answers, button)
        setup_drafts.save(connection, draft_id, answers)
    query = _store_access(gateway, answers, step, typed)
    if query:
        return _lead(draft_id, f"{step}?{query}")
    if button == "try" and step == "control":
        _try_batteries(gateway, draft_id, answers)
        return _lead(draft_id, "control#tried")
    changes_site = "changes" in answers
    if button == "store" and changes_site:
        return _store_at_once(gateway, draft_id, step, answers=answers, caller=caller)
    if button == "next" and step == "review":
        if changes_site:
            return _change(gateway, draft_id, typed, caller)
        return _finish(gateway, draft_id, typed)
    return _lead(draft_id, _find_next_step(gateway, answers, step, button))


def _store_access(
    gateway: Gateway, answers: Mapping[str, Any], step: str, typed: Mapping[str, str]
) -> str:
    """Store a server's address and secret; return the query with which the step is shown again."""
    if step == "data":
        return data_step.store_access(gateway, answers, typed)
    if step == "control":
        return control_step.store_access(gateway, answers, typed)
    if step == "tariff":
        supplier_key.store_key(gateway, answers, typed)
    return ""


def _find_next_step(gateway: Gateway, answers: Mapping[str, Any], step: str, button: str) -> str:
    if button == "find-devices":
        return "find"
    if button == "show" and step == "tariff":
        return "tariff?check=1#preview"
    if button not in {"next", "back"}:
        return step
    if button == "next" and _faults(gateway, answers, step):
        return f"{step}?check=1"
    steps = _steps(answers)
    place = steps.index(step)
    if button == "back":
        return steps[max(place - 1, 0)]
    return steps[place + 1]


def _try_batteries(gateway: Gateway, draft_id: str, answers: Mapping[str, Any]) -> None:
    """Begin to move the batteries by a little; the step shows the progress and the result."""
    with unit_of_work(gateway.database) as connection:
        site = _compose_over(connection, answers)
    control_answers = answers["control"]
    job_id = begin_trial(gateway, read_vias(control_answers), site=site)
    tried = {"control": control_answers, "job_id": job_id}
    with unit_of_work(gateway.database) as connection:
        draft = setup_drafts.load(connection, draft_id)
        setup_drafts.save(connection, draft_id, draft | {"tried": tried})


def _store_at_once(
    gateway: Gateway, draft_id: str, step: str, *, answers: Mapping[str, Any], caller: Caller
) -> Response:
    """Store a change from the page it was typed on.

    If sensors or the clock then count differently, the review asks about that first.
    """
    if _faults(gateway, answers, step):
        return _lead(draft_id, f"{step}?check=1")
    with unit_of_work(gateway.database) as connection:
        change = _compose_change(connection, answers, gateway.clock.now())
    if change is not None and (change.sensors or change.clock is not None):
        return _lead(draft_id, "review")
    return _change(gateway, draft_id, {}, caller)


def _steps(answers: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the steps of a draft in order.

    A stored or imported site has those whose fields can express it.
    """
    steps = list(STEPS)
    if "changes" in answers:
        steps = [*CHANGEABLE, "review"]
    steps = [step for step in steps if step not in answers.get("fixed", ())]
    # Without a battery, car or water heater there is nothing to control.
    is_controllable = answers.get("batteries") or any(controlled_names(answers).values())
    if "control" in steps and not is_controllable:
        steps.remove("control")
    return tuple(steps)


def _change(gateway: Gateway, draft_id: str, typed: Mapping[str, str], caller: Caller) -> Response:
    """Store the changed site and lead to its page, or to its first step with a fault.

    Another clock has to be accepted.
    """
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
        require_own(answers["changes"], caller.sites)
    for step in list_changed_steps(answers["before"], answers):
        if _faults(gateway, answers, step):
            return _lead(draft_id, f"{step}?check=1")
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, answers["changes"])
        if stored.version != answers["version"]:
            raise refuse("site-changed-meanwhile", field="version", value=stored.version)
        change = _prepare(connection, change_site(stored.site, answers), typed, gateway.clock.now())
        if change.clock is not None:
            return _lead(draft_id, "review")
        site_changes.store(connection, change, version=stored.version)
        if change.site.control != stored.site.control:
            # Somebody who looked at the changed control has to arm it anew.
            control.disarm(connection, stored.name)
    return RedirectResponse(f"/ui/sites/{quote(answers['changes'])}/site", 303)


def _finish(gateway: Gateway, draft_id: str, typed: Mapping[str, str]) -> Response:
    """Store the new site and lead to its plan, or to its first step with a fault.

    A sensor that counts differently does so from now on, unless its owner says that it always did;
    another clock has to be accepted.
    """
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
    for step in STEPS:
        if _faults(gateway, answers, step):
            return _lead(draft_id, f"{step}?check=1")
    with unit_of_work(gateway.database) as connection:
        change = _prepare(connection, _compose(connection, answers), typed, gateway.clock.now())
        if change.clock is not None:
            return _lead(draft_id, "review")
        site_changes.store(connection, change)
        if "stored" in answers:
            control.disarm(connection, change.site.name)
        # A site that was entered anew is prepared anew.
        stored = {"stored": change.site.name, "run": answers.get("run", 0) + 1}
        setup_drafts.save(connection, draft_id, answers | stored)
    return _lead(draft_id, "plan")


def _faults(gateway: Gateway, answers: Mapping[str, Any], step: str) -> dict[str, FieldFault]:
    """Return a step's faults by field; of several faults of a field the first."""
    faults = list(compose(answers).faults[step])
    if step == "site" and _name_is_taken(gateway, answers):
        faults.append(FieldFault("name", "exists"))
    elif step == "data":
        faults += data_step.find_faults(gateway, answers)
    elif step == "tariff":
        faults += supplier_key.find_key_faults(gateway, answers)
    elif step == "control":
        faults += control_step.find_faults(gateway, answers)
    first: dict[str, FieldFault] = {}
    for fault in faults:
        first.setdefault(fault.field, fault)
    return first


def _name_is_taken(gateway: Gateway, answers: Mapping[str, Any]) -> bool:
    name = answers.get("site", {}).get("name", "").strip()
    with unit_of_work(gateway.database) as connection:
        display_names = sites.display_names(connection)
        # A site that cannot be read is mended by storing it anew.
        own_ids: set[Any] = {stored.name for stored in sites.list_unreadable(connection)}
    own_ids |= {answers.get("stored"), answers.get("changes")}
    other_names = [called for site_id, called in display_names.items() if site_id not in own_ids]
    return name.casefold() in {called.casefold() for called in other_names}


def _lead(draft_id: str, step: str) -> Response:
    return RedirectResponse(f"/ui/setup/{draft_id}/{step}", 303)
