"""What a plan rests on: what was assumed where nothing was known, and what else its reader should hear that is no compromise."""

from typing import Annotated, Any

from pydantic import Field

from luna.contracts.message import Message


class Assumption(Message):
    """What was put in where a stored site knows nothing, or what it knows and the plan leaves unused: a code and its figures, instants as ISO 8601."""

    code: str
    figures: dict[str, Any] = {}


class NoteReply(Message):
    """A note to a plan: a code, a sentence in the language asked for, and the figures that it is made from.

    ``assumed`` says that the plan would be another one if this turns out otherwise: ``status`` says how good the plan is for what is assumed.

    - ``soc_assumed``: no state of charge was recorded in the day before the start; ``soc`` stands for it.
    - ``soc_earlier``: the last one recorded, ``soc``, is that ``at`` an instant more than an hour before the start.
    - ``soc_outside_limits``: a ``battery`` starts at ``start_soc``, outside ``min_soc`` to ``max_soc``.
    - ``bias_corrected``: forecasts of the last days erred to one side; load and PV ahead are multiplied by ``load_factor`` and ``pv_factor``.
    - ``inverter_alone``: no plan was found within ``options.time_limit_s``; batteries follow the house.
    - ``not_confirmed``: what the optimisation ``found`` physics did not confirm; the plan is what its set-points come to.
    - ``heat_assumed``: no temperature of the stores of ``heat_pumps`` is known; the middle of their band stands for it.
    - ``tariff_default``: the tariff is that of a site that names none: ``import_price`` at any time, ``export_price``.
    - ``prices_unused``: prices that were loaded for the site (``series``) are not what its tariff, of these ``kinds``, says.
    - ``prices_carried_on``: beyond ``since`` prices are those of the last known day.
    - ``loads_not_placed``: these ``loads`` are part of the forecast load; when they run is not planned.
    - ``forecast_fallback``: the ``active`` version has no fresh forecast; ``version`` of ``issued_at`` stands for it.
    - ``forecast_old``: the forecast of the ``version`` that drives the planner is that of ``issued_at``: a newer one did not come.
    - ``forecast_awaits_proof``: ``version`` drives the planner; a trained ``candidate`` was scored on ``days`` of ``needed`` days, may take over
      from the day ``earliest`` on (null: not known), and ``command`` uses it now.
    - ``forecast_not_better``: the same, but the ``candidate`` was scored on enough ``days``, and was not found better.
    - What is the matter with what the forecast rests on: ``no_history``, ``sun_from_time_zone`` and the other codes of ``luna.wording.conditions``.
    """

    code: str
    text: str
    assumed: Annotated[bool, Field(description="the plan would be another one if this turns out otherwise")] = False
    figures: dict[str, Any] = {}
