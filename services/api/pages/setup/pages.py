"""The steps of set-up: each shows what was typed so far, takes more, and leads on.

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
from luna.energy.errors import ConflictError, InvalidInputError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.sensor_changes import ChangedSensors
from luna.platform.database import control, plans, setup_drafts, site_changes, site_removal, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.site_changes import SiteChange
from luna.platform.own_sites import require_own
from luna.platform.queue.jobs import cancel_job
from luna.platform.simulated_home.files import HomeFiles
from luna.platform.simulated_home.site import SITE_NAME
from luna.words import mode
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.pages.battery_trial import begin_trial, view_trial
from services.api.pages.layout import Page, PageRoute, Reader, show, words_of
from services.api.pages.setup import control_step, data_step, views
from services.api.pages.setup.composition import STEPS, compose, country_of, numbers_of
from services.api.pages.setup.control_methods import read_vias
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import MOST_DEVICES
from services.api.pages.setup.editing import (
    CHANGEABLE,
    change_site,
    list_changed_steps,
    view_changes,
)
from services.api.pages.setup.fields import (
    GRID,
    HOUSEHOLD,
    ON,
    SITE,
    TARIFF,
    FieldFault,
    defaults_of,
)
from services.api.pages.setup.naming import free_identifier
from services.api.pages.setup.network import find_home_assistants
from services.api.routing import ResourceRouter

PAGE = Page("setup", "/ui/setup", "administer")
EXAMPLES = ("demo", "simulated")
# Jobs of the home that are under way are ended first.
REMOVAL_TIMEOUT = timedelta(minutes=2)
Step = Literal["site", "devices", "tariff", "data", "control", "review"]


class StepQuery(BaseModel):
    """What a step shows beside what was typed: what is wrong with it, what a server has, which Home
    Assistants are on the network.
    """

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
    """Show the ways in: a home of one's own, one that is simulated, or the demo's."""
    with unit_of_work(gateway.database) as connection:
        called = sites.display_names(connection)
    words = words_of(request, PAGE)
    names = [
        words("simulated_name") if name == SITE_NAME else each for name, each in called.items()
    ]
    # A simulated home stands beside `luna up` with servers of its own, and no broker of the
    # owner's.
    settings = gateway.settings
    offers_simulated = settings.redis_url is None and (
        not settings.mqtt_url or HomeFiles(settings.data_folder).is_there
    )
    return show(request, PAGE, names=names, offers_simulated=offers_simulated)


@router.page("POST", "/ui/setup/remove-simulated-home", "administer")
def remove_simulated_home(gateway: CurrentGateway) -> Response:
    """Remove the simulated home with all that belongs to it, and lead to what can be set up
    instead.
    """
    # Pressed twice, it is gone already.
    if HomeFiles(gateway.settings.data_folder).is_there:
        with unit_of_work(gateway.database) as connection:
            under_way = site_removal.list_open_jobs(connection, SITE_NAME)
        for job in under_way:
            # One that has ended meanwhile is in nobody's way.
            with suppress(ConflictError):
                cancel_job(gateway.database, gateway.queue, job)
        gateway.queue.call(RemoveSimulatedHomeRequest(), timeout=REMOVAL_TIMEOUT)
    return RedirectResponse("/", 303)


@router.page("POST", "/ui/setup", "administer")
def begin_setup(typed: Typed, gateway: CurrentGateway) -> Response:
    """Begin a draft, and lead to its first step or, for an example, straight to its plan."""
    example = typed.get("kind") if typed.get("kind") in EXAMPLES else None
    with unit_of_work(gateway.database) as connection:
        answers: dict[str, Any] = {"example": example}
        if not example:
            names = {*sites.display_names(connection).values()}
            own = defaults_of(SITE)["name"]
            free = (
                own if number == 1 else f"{own} {number}" for number in range(1, len(names) + 2)
            )
            name = next(each for each in free if each not in names)
            answers = {
                section: [form.begin()] if form.first else []
                for section, form in DEVICE_FORMS.items()
            }
            answers |= {"site": defaults_of(SITE) | {"name": name}, "data": {"source": "nothing"}}
        draft_id = setup_drafts.create(connection, answers)
    return _lead(draft_id, "plan" if example else STEPS[0])


@router.page("GET", "/ui/setup/guess", "administer")
def guess_place(request: Request, place: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Show what follows from a place: its clock, currency and market."""
    return show(
        request,
        PAGE,
        template="setup_guess.html.j2",
        country=country_of({"site": {"place": place}}),
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
    """Show a step with what was typed, and what was asked for beside it."""
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
    faults = _faults(gateway, answers, step) if query.check or step == "review" else {}
    context = {
        "draft_id": draft_id,
        "step": step,
        "steps": _steps(answers),
        "answers": answers,
        "faults": faults,
    }
    servers = find_home_assistants() if query.find and step in {"data", "control"} else None
    if step == "data":
        parts = data_step.view_data(gateway, answers, look=query.look, servers=servers)
    elif step == "control":
        parts = control_step.view_control(
            gateway, answers, look=query.look, servers=servers
        ) | _view_sent(gateway, request, answers)
    elif step == "site":
        parts = views.view_site(answers, words_of(request, PAGE), faults)
    elif step == "devices":
        entries = {section: form.entries for section, form in DEVICE_FORMS.items()}
        parts = {
            "devices": entries,
            "grid": GRID,
            "typed": answers.get("grid", {}),
            "most": MOST_DEVICES,
        }
    elif step == "tariff":
        parts = views.view_tariff(answers, Reader.of(request).language)
    else:
        parts = _view_review(gateway, request, answers)
    return show(request, PAGE, template=f"setup_{step}.html.j2", **(context | parts))


def _view_sent(gateway: Gateway, request: Request, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what would be sent by what was typed: in each mode, and by the plan of a site that has
    one.
    """
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        site = _compose_over(connection, answers)
        plan = (
            plans.read_due(connection, site.name, now)
            if site is not None and "changes" in answers
            else None
        )
    language = Reader.of(request).language
    tried = answers.get("tried", {})
    return {
        "sent": control_step.view_sent(gateway, site, plan, now=now),
        "sent_numbers": None if site is None else views.numbers_of_site(site, language),
        "say_mode": lambda each: mode(each, language=language).full,
        "batteries_count": len(answers.get("batteries", [])),
        # What was tried at another address says nothing of this one.
        "tried": view_trial(gateway, tried["job_id"], address="control", language=language)
        if tried and tried["control"] == answers.get("control")
        else None,
    }


def _view_review(gateway: Gateway, request: Request, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be stored, what a change changes, and which sensors then count
    otherwise.
    """
    words = words_of(request, PAGE)
    language = Reader.of(request).language
    with unit_of_work(gateway.database) as connection:
        site = _compose_over(connection, answers)
        change = (
            None
            if site is None
            else site_changes.prepare(connection, site, now=gateway.clock.now())
        )
    changed = (
        [] if change is None else [views.say_sensor_change(each, words) for each in change.sensors]
    )
    review = {
        "changed_sensors": changed,
        "clock_changes": change is not None and change.clock is not None,
    }
    if "changes" in answers:
        return review | {"changed": view_changes(answers["before"], answers, words)}
    composed = compose(answers)
    assumed = (
        views.view_assumptions(composed.site(), words, numbers_of(answers, language))
        if composed.whole
        else []
    )
    return review | {
        "summary_lines": views.view_review(answers, words, language),
        "assumed": assumed,
    }


def _compose_over(connection: Connection, answers: Mapping[str, Any]) -> Site | None:
    """Return the site that the answers make, over the stored one where they change it.

    None: they are not whole.
    """
    if "changes" in answers:
        with suppress(InvalidInputError):
            return change_site(sites.load(connection, answers["changes"]), answers)
        return None
    return _compose(connection, answers) if compose(answers).whole else None


def _compose(connection: Connection, answers: Mapping[str, Any]) -> Site:
    """Return the site that whole answers make.

    Its id is the one it has, that of a site that cannot be read and is entered anew, else one that
    is free.
    """
    site = compose(answers).site()
    unreadable = {each.name for each in sites.list_unreadable(connection)}
    if "stored" in answers or site.called in unreadable:
        name = str(answers.get("stored", site.called))
    else:
        name = free_identifier(site.name, {*sites.names(connection)} - unreadable)
    return site.model_copy(update={"name": name})


def _prepare(
    connection: Connection, site: Site, typed: Mapping[str, str], now: datetime
) -> SiteChange:
    """Return what storing a site does by what was typed under its review."""
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
    """Keep what was typed, and lead on: to the next step, back, or to the same one where something
    is wrong or was added.
    """
    go = typed.get("go", "next")
    with unit_of_work(gateway.database) as connection:
        answers = _merge(setup_drafts.load(connection, draft_id), step, typed)
        if go.startswith(("add-", "remove-")):
            _change_devices(answers, go)
        setup_drafts.save(connection, draft_id, answers)
    storing = {"data": data_step.store_access, "control": control_step.store_access}.get(step)
    if storing is not None and (query := storing(gateway, answers, typed)):
        return _lead(draft_id, f"{step}?{query}")
    if go == "try" and step == "control":
        # The batteries are moved by a little; the step shows how far that is and what came of it.
        with unit_of_work(gateway.database) as connection:
            site = _compose_over(connection, answers)
        tried = {
            "control": answers["control"],
            "job_id": begin_trial(gateway, read_vias(answers["control"]), site=site),
        }
        with unit_of_work(gateway.database) as connection:
            setup_drafts.save(
                connection, draft_id, setup_drafts.load(connection, draft_id) | {"tried": tried}
            )
        return _lead(draft_id, "control#tried")
    steps = _steps(answers)
    if go == "store" and "changes" in answers:
        return _store_at_once(gateway, draft_id, step, answers=answers, caller=caller)
    if go != "next":
        before = steps[max(steps.index(step) - 1, 0)]
        return _lead(draft_id, {"back": before, "find-devices": "find"}.get(go, step))
    if step != "review":
        return _lead(
            draft_id,
            f"{step}?check=1" if _faults(gateway, answers, step) else steps[steps.index(step) + 1],
        )
    return (
        _change(gateway, draft_id, typed, caller)
        if "changes" in answers
        else _finish(gateway, draft_id, typed)
    )


def _store_at_once(
    gateway: Gateway, draft_id: str, step: str, *, answers: Mapping[str, Any], caller: Caller
) -> Response:
    """Store a change from the page it was typed on.

    Where it makes sensors or the clock count otherwise, the review asks about that first.
    """
    if _faults(gateway, answers, step):
        return _lead(draft_id, f"{step}?check=1")
    with unit_of_work(gateway.database) as connection:
        site = _compose_over(connection, answers)
        change = (
            None
            if site is None
            else site_changes.prepare(connection, site, now=gateway.clock.now())
        )
    if change is not None and (change.sensors or change.clock is not None):
        return _lead(draft_id, "review")
    return _change(gateway, draft_id, {}, caller)


def _steps(answers: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is asked, one after the other: of a site that is changed, what the fields can say
    of it.
    """
    steps = (
        STEPS
        if "changes" not in answers
        else (*(step for step in CHANGEABLE if step not in answers["fixed"]), "review")
    )
    # Without a battery nobody asks how it is told.
    return tuple(step for step in steps if step != "control" or answers.get("batteries"))


def _change(gateway: Gateway, draft_id: str, typed: Mapping[str, str], caller: Caller) -> Response:
    """Store the changed site where nothing is wrong, and lead to its page.

    Else to the first step where something is. Another clock has to be accepted.
    """
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
        require_own(answers["changes"], caller.sites)
    if faulty := [
        step
        for step in list_changed_steps(answers["before"], answers)
        if _faults(gateway, answers, step)
    ]:
        return _lead(draft_id, f"{faulty[0]}?check=1")
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, answers["changes"])
        if stored.version != answers["version"]:
            raise refuse("site-changed-meanwhile", field="version", value=stored.version)
        change = _prepare(connection, change_site(stored.site, answers), typed, gateway.clock.now())
        if change.clock is not None:
            return _lead(draft_id, "review")
        site_changes.store(connection, change, version=stored.version)
        if change.site.control != stored.site.control:
            # What is told in another way is armed anew, by somebody who looked at it.
            control.disarm(connection, stored.name)
    return RedirectResponse(f"/ui/sites/{quote(answers['changes'])}/site", 303)


def _finish(gateway: Gateway, draft_id: str, typed: Mapping[str, str]) -> Response:
    """Store the site where nothing is wrong any more, and lead to its plan.

    Else to the first step where something is.

    A sensor that counts otherwise than stored does so from now on, unless it is said that it always
    did; another clock has to be accepted.
    """
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
    faulty = next((step for step in STEPS if _faults(gateway, answers, step)), None)
    if faulty is not None:
        return _lead(draft_id, f"{faulty}?check=1")
    with unit_of_work(gateway.database) as connection:
        change = _prepare(connection, _compose(connection, answers), typed, gateway.clock.now())
        if change.clock is not None:
            return _lead(draft_id, "review")
        site_changes.store(connection, change)
        if "stored" in answers:
            control.disarm(connection, change.site.name)
        # What was entered anew is prepared anew.
        setup_drafts.save(
            connection,
            draft_id,
            answers | {"stored": change.site.name, "run": answers.get("run", 0) + 1},
        )
    return _lead(draft_id, "plan")


def _faults(gateway: Gateway, answers: Mapping[str, Any], step: str) -> dict[str, FieldFault]:
    """Return what is wrong with a step, by field; of several faults of a field the first."""
    faults = list(compose(answers).faults[step])
    if step == "site":
        called = answers.get("site", {}).get("name", "").strip()
        with unit_of_work(gateway.database) as connection:
            names = sites.display_names(connection)
            # A site that cannot be read is mended by storing it anew.
            own = {each.name for each in sites.list_unreadable(connection)} | {
                answers.get("stored"),
                answers.get("changes"),
            }
        others = {each.casefold() for name, each in names.items() if name not in own}
        faults += [FieldFault("name", "exists")] if called.casefold() in others else []
    if step in {"data", "control"}:
        faults += (data_step if step == "data" else control_step).find_faults(gateway, answers)
    first: dict[str, FieldFault] = {}
    for fault in faults:
        first.setdefault(fault.field, fault)
    return first


def _merge(answers: dict[str, Any], step: Step, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers with what a step's form brought."""
    if step == "site":
        sections = {"site": SITE, "household": HOUSEHOLD}
        return answers | {
            part: {entry.name: typed.get(entry.name, "") for entry in entries}
            for part, entries in sections.items()
        }
    if step == "devices":
        devices = {section: form.gather(typed) for section, form in DEVICE_FORMS.items()}
        return (
            answers | devices | {"grid": {entry.name: typed.get(entry.name, "") for entry in GRID}}
        )
    if step == "tariff":
        names = {entry.name for entry in TARIFF}
        return answers | {"tariff": {name: text for name, text in typed.items() if name in names}}
    if step in {"data", "control"}:
        return (
            data_step.merge_data(answers, typed)
            if step == "data"
            else control_step.merge_control(answers, typed)
        )
    return answers


def _change_devices(answers: dict[str, Any], go: str) -> None:
    verb, kind, *place = go.split("-")
    if kind not in DEVICE_FORMS:
        return
    if verb == "add" and len(answers[kind]) < MOST_DEVICES:
        answers[kind] = [*answers[kind], DEVICE_FORMS[kind].begin()]
    elif verb == "remove" and place and place[0].isdigit():
        if kind == "batteries" and not all(device.get("name") for device in answers[kind]):
            # Those that have no name yet are called by their order: what was said of one would go
            # to another.
            answers.pop("control", None)
        answers[kind] = [
            device for number, device in enumerate(answers[kind]) if number != int(place[0])
        ]


def _lead(draft_id: str, step: str) -> Response:
    return RedirectResponse(f"/ui/setup/{draft_id}/{step}", 303)
