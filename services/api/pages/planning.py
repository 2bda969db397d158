"""Page Planning: blocks with their cost, charging sessions, control, heat now, vacation.

Everything that an owner fixes here can be taken back.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Form, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection

from luna.contracts.charging_sessions import NewSession, StoredSession, Weekday
from luna.contracts.departures import (
    Clock,
    DepartureChanges,
    DepartureId,
    ProposedDeparture,
)
from luna.contracts.operator_limits import StoredLimit
from luna.contracts.owner import StoredBlock
from luna.contracts.owner_constraints import find_actions
from luna.contracts.vehicle_levels import NewVehicleLevel, VehicleLevel
from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site, invalid_input
from luna.energy.timeline import SLOT, Instant, floor_to
from luna.house import control_service
from luna.house.untried_devices import find_untried
from luna.platform.database import (
    charging_sessions,
    control,
    departures,
    manual_blocks,
    plans,
    sites,
    vehicle_levels,
)
from luna.platform.database.engine import unit_of_work
from luna.words import Language
from luna.words.devices import say_device
from luna.words.refusals import SpokenError
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.battery_trial import TrialView, begin_trial, view_trial
from services.api.pages.block_cost import Trial, price_block
from services.api.pages.departures import DeparturesView
from services.api.pages.job_part import SitePath
from services.api.pages.layout import (
    EMPTY_IS_NONE,
    PAGES,
    PageRoute,
    Reader,
    numbers_of,
    show,
    show_part,
    words_of,
)
from services.api.pages.operator_limits import LimitsView, read_limits
from services.api.pages.planning_view import (
    BlockForm,
    FixedState,
    PlanningView,
    list_unattended,
    read_power,
    say_cost,
)
from services.api.pages.price_parts import DayParts, PricePartsView, read_day_parts
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)

PAGE = PAGES["planning"]
BOOST_HOURS = (1, 2, 4)
NumberPath = Annotated[int, Path(ge=1, le=2**63 - 1)]


Percent = Annotated[float | None, EMPTY_IS_NONE, Field(ge=0, le=100)]


def _to_share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


class BlockFields(BaseModel):
    """The fields of a block's form; power is text, since people write a comma."""

    model_config = ConfigDict(populate_by_name=True)

    device: Annotated[str, Field(max_length=64)]
    action: Annotated[str, Field(max_length=32)]
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    power_kw: Annotated[str, Field(max_length=16)] = ""

    def form(self) -> BlockForm:
        """Return the form's values.

        Raises:
            InvalidInputError: the power is no number.
        """
        return BlockForm(
            device=self.device,
            action=self.action,
            first=self.from_,
            end=self.to,
            power_kw=read_power(self.power_kw),
        )


class SessionFields(BaseModel):
    """The fields of a charging session's form; shares are percent."""

    model_config = ConfigDict(populate_by_name=True)

    vehicle: Annotated[str, Field(max_length=64)]
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    target: Percent = None
    arrival: Percent = None
    days: Annotated[list[Weekday], Field(max_length=7)] = []

    def session(self) -> NewSession:
        """Return the session that the form describes.

        Raises:
            InvalidInputError: it ends before it begins.
        """
        document = {
            "vehicle": self.vehicle,
            "from": self.from_,
            "to": self.to,
            "days": self.days,
            "target_soc": _to_share(self.target),
            "arrival_soc": _to_share(self.arrival),
        }
        try:
            return NewSession.model_validate(document)
        except ValidationError as exc:
            raise invalid_input(exc, field="") from exc


class DepartureFields(BaseModel):
    """The fields of a proposed departure's form; without any it is accepted as it is."""

    leaves: Clock | None = None
    target: Percent = None
    days: Annotated[list[Weekday], Field(max_length=7)] = []

    def changes(self) -> DepartureChanges:
        """Return what the owner wants differently."""
        return DepartureChanges(
            days=self.days or None, leaves=self.leaves, target_soc=_to_share(self.target)
        )


class LevelFields(BaseModel):
    """The fields of the form that says how full a car is; one of both is empty."""

    vehicle: Annotated[str, Field(max_length=64)]
    level: Percent = None
    need_kwh: Annotated[str, Field(max_length=16)] = ""

    def stated(self) -> NewVehicleLevel:
        """Return what the form says.

        Raises:
            InvalidInputError: both or none, or no number.
        """
        document = {
            "vehicle": self.vehicle,
            "soc": _to_share(self.level),
            "need_kwh": read_power(self.need_kwh, "need_kwh"),
        }
        try:
            return NewVehicleLevel.model_validate(document)
        except ValidationError as exc:
            raise invalid_input(exc, field="") from exc


class PlanningQuery(BaseModel):
    """The parameters of the page's address.

    The form's fields, whether to show their ``cost``, a block or session that was just taken back,
    and the job that tries batteries.
    """

    model_config = ConfigDict(populate_by_name=True)

    device: Annotated[str | None, Field(max_length=64)] = None
    action: Annotated[str | None, Field(max_length=32)] = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None
    power_kw: Annotated[str, Field(max_length=16)] = ""
    cost: bool = False
    taken_back: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    session_taken_back: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    tried: Annotated[str | None, Field(max_length=64, pattern=r"^[\w-]+$")] = None

    def form(self, site: Site, now: datetime) -> BlockForm:
        """Return the form's values; by default the next hour of the first device."""
        actions = find_actions(site)
        device = next(iter(actions)) if self.device is None else self.device
        action = self.action or next(iter(actions.get(device, ("hold",))))
        first = floor_to(now, SLOT) if self.from_ is None else self.from_
        end = first + timedelta(hours=1) if self.to is None else self.to
        return BlockForm(
            device=device, action=action, first=first, end=end, power_kw=read_power(self.power_kw)
        )


@router.page("GET", "/ui/sites/{site_id}/planning", "read")
async def show_planning(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    query: Annotated[PlanningQuery, Query()],
) -> Response:
    """Show blocks, sessions and control; with ``cost``, the cost of the form's block."""
    now = gateway.clock.now()
    marks, stored, day_parts = await run_in_threadpool(_read, gateway, site_id, now, query)
    latest, count = await run_in_threadpool(_read_limits, gateway, site_id, now)
    proposals, levels = await run_in_threadpool(_read_cars, gateway, stored.site, now)
    form = query.form(stored.site, now)
    trial = None
    refusal = None
    if query.cost:
        trial, refusal = await _try(gateway, stored.site, form, request)
    words = words_of(request, PAGE)
    numbers = numbers_of(request, stored.site)
    view = PlanningView(stored, form, numbers, words)
    tried = None
    if query.tried is not None:
        tried = await run_in_threadpool(_view_trial, gateway, site_id, query.tried, request)
    context: dict[str, Any] = {
        "tried": tried,
        "trial": trial,
        "refusal": refusal,
        "cost_words": say_cost(trial, numbers, words),
        "boost_hours": BOOST_HOURS,
        "price_parts": PricePartsView(day_parts, numbers, words),
        "departures": DeparturesView(
            proposals=proposals, levels=levels, now=now, numbers=numbers, words=words
        ),
        "limits": LimitsView(
            stored=latest, count=count, site=stored.site, now=now, numbers=numbers, words=words
        ),
    }

    def read_unattended() -> list[str]:
        data_folder = gateway.settings.data_folder
        return [*list_unattended(stored.site, data_folder, words=words, language=numbers.language)]

    unattended = await run_in_threadpool(read_unattended)
    untried = await run_in_threadpool(_list_untried, gateway, stored.site, numbers.language)
    return show(
        request,
        PAGE,
        site=stored.site,
        marks=marks,
        stored=stored,
        form=form,
        view=view,
        unattended=unattended,
        untried=untried,
        **context,
    )


def _list_untried(gateway: Gateway, site: Site, language: Language) -> list[str]:
    """Return the names of the devices that are only read until they were tried."""
    vias = {} if site.control is None else site.control.vias_by_key
    with unit_of_work(gateway.database) as connection:
        untried = find_untried(connection, vias, gateway.settings.data_folder)
    return [say_device(device, language=language) for device in untried]


@router.page("POST", "/ui/sites/{site_id}/planning/try", "operate")
def move_batteries(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Move the directly controlled devices for a moment, and lead to the result.

    Refused once they are armed.
    """
    with unit_of_work(gateway.database) as connection:
        if control.load(connection, site_id).armed_at is not None:
            raise refuse("device-commanded", field="site_id", value=site_id, site=site_id)
        site = sites.load(connection, site_id)
    vias = {} if site.control is None else site.control.vias_by_key
    job_id = begin_trial(gateway, vias, site=site)
    return RedirectResponse(f"{PAGE.address(site_id)}?tried={job_id}#tried", 303)


def _view_trial(gateway: Gateway, site_id: str, job_id: str, request: Request) -> TrialView | None:
    address = f"{PAGE.address(site_id)}?tried={job_id}"
    view = view_trial(gateway, job_id, address=address, language=Reader.of(request).language)
    site = view.job.request.get("site") or {}
    return view if site.get("name") == site_id else None


@router.page("GET", "/ui/sites/{site_id}/planning/cost", "analyse")
async def show_cost(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    fields: Annotated[BlockFields, Query()],
) -> Response:
    """Show the cost of the block in the form, while it is being drawn."""
    site = await run_in_threadpool(gateway.load_site, site_id)
    trial, refusal = await _try(gateway, site, fields.form(), request)
    cost_words = say_cost(trial, numbers_of(request, site), words_of(request, PAGE))
    return show_part(
        request,
        PAGE,
        "planning_cost.html.j2",
        site=site,
        trial=trial,
        refusal=refusal,
        cost_words=cost_words,
    )


@router.page("POST", "/ui/sites/{site_id}/planning/blocks", "operate")
def fix_block(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    fields: Annotated[BlockFields, Form()],
) -> Response:
    """Store a block, and lead back to the page."""
    with unit_of_work(gateway.database) as connection:
        manual_blocks.add(
            connection, site_id, fields.form().block(), by=caller.signature, now=gateway.clock.now()
        )
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/blocks/{block_id}/take-back", "operate")
def take_back_block(
    site_id: SitePath, block_id: NumberPath, gateway: CurrentGateway, caller: CurrentCaller
) -> Response:
    """Remove a block, and lead to the page, which can put it back."""
    with unit_of_work(gateway.database) as connection:
        manual_blocks.remove(connection, site_id, block_id, by=caller.signature)
    return RedirectResponse(f"{PAGE.address(site_id)}?taken_back={block_id}", 303)


@router.page("POST", "/ui/sites/{site_id}/planning/sessions", "operate")
def plan_departure(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    fields: Annotated[SessionFields, Form()],
) -> Response:
    """Store a charging session, and lead back to the page."""
    with unit_of_work(gateway.database) as connection:
        charging_sessions.add(
            connection, site_id, fields.session(), by=caller.signature, now=gateway.clock.now()
        )
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/sessions/{session_id}/take-back", "operate")
def take_back_session(
    site_id: SitePath, session_id: NumberPath, gateway: CurrentGateway, caller: CurrentCaller
) -> Response:
    """Remove a charging session, and lead back to the page."""
    with unit_of_work(gateway.database) as connection:
        charging_sessions.remove(connection, site_id, session_id, by=caller.signature)
    return RedirectResponse(f"{PAGE.address(site_id)}?session_taken_back={session_id}", 303)


@router.page("POST", "/ui/sites/{site_id}/planning/levels", "operate")
def state_level(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    fields: Annotated[LevelFields, Form()],
) -> Response:
    """Store how full a car is, and lead back to the page."""
    with unit_of_work(gateway.database) as connection:
        vehicle_levels.store(
            connection, site_id, fields.stated(), by=caller.signature, now=gateway.clock.now()
        )
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/departures/{departure_id}/accept", "operate")
def take_departure(
    site_id: SitePath,
    departure_id: DepartureId,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    fields: Annotated[DepartureFields, Form()],
) -> Response:
    """Store a proposed departure as a weekly session, and lead back to the page."""
    with unit_of_work(gateway.database) as connection:
        departures.accept(
            connection,
            site_id,
            departure_id,
            fields.changes(),
            by=caller.signature,
            now=gateway.clock.now(),
        )
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/departures/{departure_id}/decline", "operate")
def leave_departure(
    site_id: SitePath, departure_id: DepartureId, gateway: CurrentGateway, caller: CurrentCaller
) -> Response:
    """Decline a proposed departure, and lead back to the page."""
    with unit_of_work(gateway.database) as connection:
        departures.decline(
            connection, site_id, departure_id, by=caller.signature, now=gateway.clock.now()
        )
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/heat", "operate")
def heat_now(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    device: Annotated[str, Form(max_length=64)],
    hours: Annotated[int, Form(ge=1, le=24)],
) -> Response:
    """Switch a load on from now on for some hours, as a block."""
    now = gateway.clock.now()
    first = floor_to(now, SLOT)
    block = BlockForm(device, "on", first, first + timedelta(hours=hours)).block()
    with unit_of_work(gateway.database) as connection:
        manual_blocks.add(connection, site_id, block, by=caller.signature, now=now)
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/vacation", "operate")
def switch_vacation(
    site_id: SitePath, gateway: CurrentGateway, on: Annotated[bool, Form()]
) -> Response:
    """Switch vacation on or off."""
    with unit_of_work(gateway.database) as connection:
        control_service.switch_vacation(connection, site_id, on=on, now=gateway.clock.now())
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/arm", "operate", critical=True)
def arm_devices(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Let commands be sent to the devices, once their owner confirmed it."""
    if not sure:
        raise SpokenError(words_of(request, PAGE)("arm_unsure"), field="sure")
    with unit_of_work(gateway.database) as connection:
        control_service.arm(
            connection,
            site_id,
            now=gateway.clock.now(),
            by=caller.signature,
            data_folder=gateway.settings.data_folder,
        )
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/disarm", "operate")
def disarm_devices(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Hand the devices back; after that nothing is sent."""
    with unit_of_work(gateway.database) as connection:
        control_service.disarm(connection, site_id, now=gateway.clock.now())
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/pause", "operate")
def pause_device(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    device: Annotated[str, Form(max_length=80)] = BATTERIES,
) -> Response:
    """Hand a device back and leave it alone until it is resumed."""
    with unit_of_work(gateway.database) as connection:
        control_service.pause(
            connection, site_id, device, now=gateway.clock.now(), by=caller.signature
        )
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/planning/resume", "operate")
def resume_device(
    site_id: SitePath,
    gateway: CurrentGateway,
    device: Annotated[str, Form(max_length=80)] = BATTERIES,
) -> Response:
    """End an override or a pause: the plan is followed again."""
    with unit_of_work(gateway.database) as connection:
        control_service.resume(connection, site_id, device)
    return RedirectResponse(PAGE.address(site_id), 303)


async def _try(
    gateway: Gateway, site: Site, form: BlockForm, request: Request
) -> tuple[Trial | None, LunaError | None]:
    """Return the cost of a block, or the error for the page of the form."""
    language = Reader.of(request).language
    try:
        return await price_block(gateway, site, form.block(), language=language), None
    except LunaError as error:
        return None, error


def _read(
    gateway: Gateway, site_id: str, now: datetime, query: PlanningQuery
) -> tuple[str, FixedState, DayParts]:
    with unit_of_work(gateway.database) as connection:
        # First: what changes while the rest is read is told to the page.
        marks = gateway.read_marks(connection, site_id)
        site = sites.load(connection, site_id)
        stored = FixedState(
            site=site,
            now=now,
            plan=plans.read_due(connection, site_id, now),
            sessions=charging_sessions.read_standing(connection, site_id, first=now),
            removed_session=_find_removed_session(
                connection, site_id, query.session_taken_back, now
            ),
            blocks=manual_blocks.read_standing(connection, site_id, first=now),
            removed_block=_find_removed_block(connection, site_id, query.taken_back, now),
            states=control_service.read_states(connection, site_id, now=now),
            on_vacation=control_service.is_on_vacation(connection, site_id, now=now),
        )
        return marks, stored, read_day_parts(connection, site, now=now)


def _read_limits(gateway: Gateway, site_id: str, now: datetime) -> tuple[list[StoredLimit], int]:
    with unit_of_work(gateway.database) as connection:
        return read_limits(connection, site_id, now=now)


def _read_cars(
    gateway: Gateway, site: Site, now: datetime
) -> tuple[list[ProposedDeparture], list[VehicleLevel]]:
    if not site.vehicles:
        return [], []
    with unit_of_work(gateway.database) as connection:
        proposals = departures.read_proposals(connection, site.name, now=now)
        return proposals, vehicle_levels.read_estimates(connection, site.name, now=now)


def _find_removed_session(
    connection: Connection, site_id: str, session_id: int | None, now: datetime
) -> StoredSession | None:
    """Return a removed charging session if it could still hold."""
    if session_id is None:
        return None
    for session in charging_sessions.read_history(connection, site_id):
        could_hold = bool(session.days) or session.to > now
        if session.session_id == session_id and session.removed_at is not None and could_hold:
            return session
    return None


def _find_removed_block(
    connection: Connection, site_id: str, block_id: int | None, now: datetime
) -> StoredBlock | None:
    """Return a removed block if it could still hold."""
    if block_id is None:
        return None
    for block in manual_blocks.read_history(connection, site_id):
        if block.block_id == block_id and block.removed_at is not None and block.to > now:
            return block
    return None
