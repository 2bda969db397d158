"""Whether a site's devices follow its plans, what their owner wants instead, and what was decided."""

from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from luna.contracts.control import ControlEntry, ControlState, Override
from luna.contracts.message import Message
from luna.energy.instant import Instant
from luna.energy.site.control import DEVICE_KEYS
from luna.platform import control_service
from luna.platform.clock import SystemClock
from luna.platform.database import control
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.paging import Cursor, From, Limit, To, cut_page, read_number
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("control")

DevicePath = Annotated[str, Path(max_length=80, description=f"{', '.join(DEVICE_KEYS[:-1])} or {DEVICE_KEYS[-1]}")]


class ControlReply(Message):
    """Whether a site is armed, and how its devices stand."""

    armed: Annotated[bool, Field(description="whether its devices are told what its plans say")]
    armed_at: Annotated[Instant | None, Field(description="since when; null: it is not armed")]
    armed_by: Annotated[str | None, Field(description="who armed it; null: it is not armed")]
    devices: Annotated[list[ControlState], Field(description="the batteries first, then what else was told something or is wanted to")]


class VacationMode(Message):
    """Whether nobody is at home, as the owner says; what the site's own switches say stands beside it."""

    vacation: Annotated[bool, Field(description="true: nobody is at home")]


class DecisionList(Message):
    """What was decided for the devices of a site, the latest first."""

    decisions: Annotated[list[ControlEntry], Field(description="what was decided for a slot and what came of it")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


@router.operation("Read how control stands")
def read_control(site_id: SitePath, gateway: CurrentGateway) -> ControlReply:
    """Return whether the site is armed, the overrides that hold, and what each device was told last."""
    with unit_of_work(gateway.database) as connection:
        states = control_service.read_states(connection, site_id, now=SystemClock().now())
    return ControlReply(armed=states[0].armed_at is not None, armed_at=states[0].armed_at, armed_by=states[0].armed_by, devices=states)


@router.operation("Let a site's devices follow its plans")
def arm(site_id: SitePath, gateway: CurrentGateway, caller: CurrentCaller) -> ControlState:
    """Let commands be sent from the executor's next look on; before this nothing ever is. 422 where the site does not say how its devices are told."""
    with unit_of_work(gateway.database) as connection:
        return control_service.arm(connection, site_id, now=SystemClock().now(), by=caller.signature)


@router.operation("Hand a site's devices back")
def disarm(site_id: SitePath, gateway: CurrentGateway) -> ControlState:
    """Hand the devices back to their own control; after that nothing is sent, and overrides end."""
    with unit_of_work(gateway.database) as connection:
        control.disarm(connection, site_id)
        return control.load(connection, site_id)


@router.operation("Have a device do something else than the plan says")
def override(site_id: SitePath, device: DevicePath, wanted: Override, gateway: CurrentGateway, *, caller: CurrentCaller) -> ControlState:
    """Have a device, or all batteries, do this until an instant; the safety layer bounds it like anything else. It takes the place of an override before."""
    with unit_of_work(gateway.database) as connection:
        asked = {"by": caller.signature} | wanted.model_dump(include=wanted.model_fields_set)
        return control_service.override(connection, site_id, device, asked, now=SystemClock().now())


@router.operation("End an override", status_code=204)
def resume(site_id: SitePath, device: DevicePath, gateway: CurrentGateway) -> Response:
    """Let the device follow the plan again; where no override holds, nothing changes."""
    with unit_of_work(gateway.database) as connection:
        control_service.resume(connection, site_id, device)
    return Response(status_code=204)


@router.operation("Say that nobody is at home")
def set_vacation(site_id: SitePath, wanted: VacationMode, gateway: CurrentGateway) -> VacationMode:
    """Say that nobody is at home, or somebody is again: forecasts fall to what an empty house takes, and the site's rule for vacations holds."""
    with unit_of_work(gateway.database) as connection:
        control_service.switch_vacation(connection, site_id, on=wanted.vacation, now=SystemClock().now())
    return wanted


@router.operation("List what was decided")
def list_decisions(
    site_id: SitePath, gateway: CurrentGateway, *, first: From = None, end: To = None, limit: Limit = 100, cursor: Cursor = None
) -> DecisionList:
    """Return what was decided for slots within `from` and `to`, who decided it, and what came of it."""
    with unit_of_work(gateway.database) as connection:
        rows = control.read_log_page(connection, site_id, slots=(first, end), below=read_number(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row[0],))
    return DecisionList(decisions=[entry for _, entry in page], cursor=following)
