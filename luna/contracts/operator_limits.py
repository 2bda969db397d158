"""Limits that a grid operator sets for a while: what is sent, and what is stored of it."""

from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from luna.contracts.message import Message
from luna.energy.limit_outcome import LimitOutcome
from luna.energy.operator_limits import LimitScope, OperatorLimit
from luna.energy.refusals import invalid_part, refuse
from luna.energy.timeline import Instant

# Operators announce hours, at most days; what holds for longer is a property of the connection.
FARTHEST = timedelta(days=92)

LimitPower = Annotated[float, Field(ge=0, le=10_000)]
LimitId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$",
        description="the limit's name within its site",
    ),
]


class NewLimit(Message):
    """A limit to be stored, from ``start`` until before ``end``.

    The strictest of all that hold counts. A limit of a name that is stored changes that one.
    """

    start: Annotated[
        Instant | None,
        Field(
            description=(
                "when it begins; empty: now; without offset, by the site's clock; a start in the "
                "past counts as now"
            )
        ),
    ] = None
    end: Annotated[
        Instant | None,
        Field(description="when it ends, not included; empty: when it is released"),
    ] = None
    import_kw: Annotated[
        LimitPower | None,
        Field(description="the most that may be drawn from the grid; empty: not limited"),
    ] = None
    export_kw: Annotated[
        LimitPower | None,
        Field(description="the most that may be fed in; empty: not limited"),
    ] = None
    scope: Annotated[
        LimitScope,
        Field(
            description=(
                "what import_kw counts: connection, all that the meter counts; devices, the "
                "controllable devices together, which may use own production on top"
            )
        ),
    ] = "connection"
    limit_id: Annotated[
        LimitId | None,
        Field(description="a name of your own, by which the limit is changed; empty: Luna's"),
    ] = None

    @field_validator("end")
    @classmethod
    def _ordered(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if start is not None and end is not None and end <= start:
            raise invalid_part("ends-before-start")
        return end

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.import_kw is None and self.export_kw is None:
            raise invalid_part("limit-without-power")
        return self


class StoredLimit(Message):
    """A limit of a site's history, with what was done under it."""

    limit_id: LimitId
    start: Annotated[datetime, Field(description="since when it holds")]
    end: Annotated[
        datetime | None,
        Field(description="when it ends, or ended; null: it holds until it is released"),
    ]
    import_kw: Annotated[
        float | None, Field(description="the most that may be drawn; null: not limited")
    ]
    export_kw: Annotated[
        float | None, Field(description="the most that may be fed in; null: not limited")
    ]
    scope: Annotated[LimitScope, Field(description="what import_kw counts")]
    source: Annotated[
        str,
        Field(
            description=(
                "how it came: api, home_assistant, mqtt, contact, lpc, lpp, openadr, ieee2030.5, "
                "owner"
            )
        ),
    ]
    acknowledged_at: Annotated[
        datetime | None, Field(description="when a device first followed it; null: not yet")
    ] = None
    created_at: Annotated[datetime, Field(description="when it was stored")]
    summary: Annotated[
        LimitOutcome | None,
        Field(description="what was measured and done so far, or until its end; null: nothing yet"),
    ] = None

    def as_limit(self) -> OperatorLimit:
        """Return the limit alone, as planning and control compute with it."""
        return OperatorLimit(
            limit_id=self.limit_id,
            start=self.start,
            end=self.end,
            import_kw=self.import_kw,
            export_kw=self.export_kw,
            scope=self.scope,
            source=self.source,
            acknowledged_at=self.acknowledged_at,
        )


def check_limit(limit: NewLimit, *, now: datetime) -> None:
    """Refuse a limit that is over, or too far ahead.

    Raises:
        InvalidInputError: it is.
    """
    if limit.end is not None and limit.end <= now:
        raise refuse("time-passed", field="end", value=limit.end.isoformat())
    for field, instant in (("start", limit.start), ("end", limit.end)):
        if instant is not None and instant > now + FARTHEST:
            raise refuse(
                "limit-far-ahead", field=field, value=instant.isoformat(), days=FARTHEST.days
            )
