"""When a vehicle leaves and how full it should be then: stays at its charger, stored and taken back."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from luna.contracts.charging_stays import NewSession, Weekday
from luna.energy.instant import Instant
from luna.energy.site import invalid_input
from luna.platform.database import charging_stays
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PAGES, PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = PAGES["planning"]
Percent = Annotated[float | None, BeforeValidator(lambda value: None if value == "" else value), Field(ge=0, le=100)]


class StayFields(BaseModel):
    """The fields of the form; shares are percent, as people say them."""

    model_config = ConfigDict(populate_by_name=True)

    vehicle: Annotated[str, Field(max_length=64)]
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    target: Percent = None
    arrival: Percent = None
    days: Annotated[list[Weekday], Field(max_length=7)] = []

    def session(self) -> NewSession:
        """Return the stay that they describe.

        Raises:
            InvalidInputError: it ends before it begins.
        """
        shares = {"target_soc": self.target, "arrival_soc": self.arrival}
        fractions = {name: None if percent is None else percent / 100 for name, percent in shares.items()}
        try:
            return NewSession.model_validate({"vehicle": self.vehicle, "from": self.from_, "to": self.to, "days": self.days} | fractions)
        except ValidationError as exc:
            raise invalid_input(exc, field="") from exc


@router.post("/ui/sites/{site_id}/planning/stays")
def add_stay(site_id: SitePath, gateway: CurrentGateway, caller: CurrentCaller, fields: Annotated[StayFields, Form()]) -> Response:
    """Have a vehicle planned in a stay, and lead back to the page."""
    with unit_of_work(gateway.database) as connection:
        charging_stays.add(connection, site_id, fields.session(), by=caller.signature, now=gateway.clock.now())
    return RedirectResponse(PAGE.address(site_id), 303)


@router.post("/ui/sites/{site_id}/planning/stays/{session_id}/take-back")
def take_back_stay(site_id: SitePath, session_id: Annotated[int, Path(ge=1, le=2**63 - 1)], gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Take a stay back, and lead to the page, which says so."""
    with unit_of_work(gateway.database) as connection:
        charging_stays.remove(connection, site_id, session_id, by=caller.signature)
    return RedirectResponse(f"{PAGE.address(site_id)}?stay_taken_back={session_id}", 303)
