"""Execute the commands of Home Assistant's entities.

They are validated and stored as by ``luna control``, under the name "home assistant".
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from luna.contracts import PlanRequest
from luna.energy.errors import InvalidInputError
from luna.house import control_service
from luna.platform.database import control
from luna.platform.database.engine import unit_of_work
from luna.words import read_mode
from luna.words.entities import follows_plan
from services.home_assistant.entities import (
    HOURS,
    LEAST_HOURS,
    MOST_HOURS,
    USUAL_HOURS,
    PublishedEntity,
)

BY = "home assistant"
Ask = Callable[[PlanRequest], object]
_SWITCHES = {"ON": True, "OFF": False}


class Commands:
    """Executes commands to the entities of a site.

    Args:
        database: stores overrides, arming and vacation.
        ask_plan: sends the request for a plan.
    """

    def __init__(self, database: Engine, ask_plan: Ask, data_folder: Path) -> None:
        self._database = database
        self._data_folder = data_folder
        self._ask_plan = ask_plan
        self._hours: dict[str, float] = {}

    def carry_out(
        self,
        site_id: str,
        entity: PublishedEntity,
        payload: bytes,
        *,
        retained: bool,
        now: datetime,
    ) -> None:
        """Execute a command.

        A retained one may set the hours of overrides and nothing else, for it may be old.

        Raises:
            LunaError: the command is refused; nothing was changed.
        """
        text = payload.decode("utf-8", "replace").strip()
        if entity is HOURS:
            try:
                hours = float(text)
            except ValueError:
                hours = math.nan
            if not LEAST_HOURS <= hours <= MOST_HOURS:
                raise InvalidInputError(
                    "is no number of hours",
                    field="payload",
                    value=text[:80],
                    remedy=f"Send {LEAST_HOURS:g} to {MOST_HOURS:g}.",
                )
            self._hours[site_id] = hours
            return
        if retained:
            return
        if entity.key == "plan_now":
            self._ask_plan(PlanRequest(site_id=site_id))
            return
        with unit_of_work(self._database) as connection:
            if entity.device is not None and follows_plan(text):
                control_service.resume(connection, site_id, entity.device)
            elif entity.device is not None:
                until = now + timedelta(hours=self._hours.get(site_id, USUAL_HOURS))
                control_service.override(
                    connection,
                    site_id,
                    entity.device,
                    {"mode": read_mode(text), "until": until, "by": BY},
                    now=now,
                )
            elif entity.key == "vacation":
                control_service.switch_vacation(connection, site_id, on=_read_switch(text), now=now)
            elif _read_switch(text):
                control_service.arm(
                    connection, site_id, now=now, by=BY, data_folder=self._data_folder
                )
            else:
                control.disarm(connection, site_id)


def _read_switch(text: str) -> bool:
    if text not in _SWITCHES:
        raise InvalidInputError(
            "is neither ON nor OFF", field="payload", value=text[:80], remedy="Send ON or OFF."
        )
    return _SWITCHES[text]
