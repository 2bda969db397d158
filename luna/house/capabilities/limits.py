"""Limits that a grid operator sets for a while, under which a site is planned and steered."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.operator_limits import LimitId, NewLimit, StoredLimit
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, TerminalForm, capability
from luna.house.limit_outcomes import add_outcomes
from luna.platform.database import operator_limits
from luna.words import Numbers, say_instant
from luna.words.operator_limits import LimitEvent, list_done

_NOUN = "operator limits"
_PATH = "/v1/sites/{site_id}/limits"
_HEADINGS = ("limit", "from", "to", "import kW", "export kW", "of", "source", "done")


class OperatorLimitList(Message):
    """Limits in order of their beginning."""

    limits: Annotated[list[StoredLimit], Field(description="at most 500, the latest")]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


def _show(limit: StoredLimit, numbers: Numbers) -> list[str]:
    end = "released" if limit.end is None else say_instant(limit.end, numbers.zone)
    return [
        limit.limit_id,
        say_instant(limit.start, numbers.zone),
        end,
        _show_power(limit.import_kw),
        _show_power(limit.export_kw),
        limit.scope,
        limit.source,
        _show_outcome(limit, numbers),
    ]


def _show_outcome(limit: StoredLimit, numbers: Numbers) -> str:
    event = LimitEvent(limit.as_limit(), {}, limit.end or limit.start, limit.summary)
    return " ".join(list_done(event, numbers))


def _show_power(power_kw: float | None) -> str:
    return "" if power_kw is None else f"{power_kw:g}"


@capability(
    "GET",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="limits list",
    shown=ReplyTable(_HEADINGS, _show, "limits", none="There are no limits."),
)
def list_operator_limits(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    history: Annotated[bool, Field(description="also those that are over")] = False,
) -> OperatorLimitList:
    """List the limits of the grid operator.

    Return the limits in force and ahead. With history also those of two years, with what was done.
    """
    if history:
        stored = operator_limits.read_history(call.connection, site_id)
    else:
        stored = operator_limits.read_standing(call.connection, site_id, now=call.now)
    return OperatorLimitList(limits=add_outcomes(call.connection, site_id, stored, now=call.now))


@capability(
    "POST",
    _PATH,
    noun=_NOUN,
    scope="operate",
    signable=True,
    command="limits set",
    shown=ReplyTable(_HEADINGS, _show),
    terminal=TerminalForm(options={"start": "from", "end": "to"}),
    status=201,
)
def set_operator_limit(call: CapabilityCall, site_id: SiteName, limit: NewLimit) -> StoredLimit:
    """Limit what a home draws or feeds in.

    Keep the home within the limit that its grid operator demands. Luna plans again at once. The
    same limit sent twice counts once.
    """
    source = "api" if call.by_key else "owner"
    return operator_limits.store(call.connection, site_id, limit, source=source, now=call.now)


@capability(
    "DELETE",
    f"{_PATH}/{{limit_id}}",
    noun=_NOUN,
    scope="operate",
    signable=True,
    command="limits release",
    shown="Limit {limit_id} of {site_id} is over.",
)
def release_operator_limit(
    call: CapabilityCall, site_id: SiteName, limit_id: LimitId
) -> StoredLimit:
    """End a limit of the grid operator.

    Luna plans again at once without the limit, which stays in the history.
    """
    return operator_limits.release(call.connection, site_id, limit_id, now=call.now)


CAPABILITIES = (
    list_operator_limits,
    set_operator_limit,
    release_operator_limit,
)
