"""Plans without sentences: modes, flows, costs, and reasons as codes with their figures."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from luna.contracts.plan import PlanRequest
from luna.words import LIMITS, limit
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request

Document = dict[str, Any]
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
LANGUAGE = "en"
# What is worded for a reader, different in each run, or a copy of the request.
_LEFT_OUT = frozenset(
    {
        *("text", "short", "why", "constraint", "shortfall"),
        *("timing_ms", "issued_at", "plan_id"),
        *("import_price", "export_price", "start", "currency", "timezone", "site"),
    }
)
_LIMIT_CODES = {limit(code, language=LANGUAGE): code for code in LIMITS}
_DECIMALS = 4


def describe_plan(document: Document) -> str:
    """Return the reply to a plan request, a line for each slot and each series of set-points."""
    options = document.get("options", {}) | {"language": LANGUAGE}
    request = PlanRequest.model_validate(document | {"options": options})
    reply = plan_request(request, now=NOON, solver=Solver())
    parts = _leave_out(reply.model_dump(mode="json", by_alias=True))
    return "".join(f"{line}\n" for line in _list_lines(parts))


def _list_lines(parts: Document) -> Iterator[str]:
    slots = parts.pop("slots")
    series = {name: parts.pop(name, {}) for name in ("setpoints", "thresholds")}
    for name, part in sorted(parts.items()):
        yield f"{name}: {_write(part)}"
    for place, slot in enumerate(slots):
        yield f"slot {place}: {_write(slot)}"
    for name, below in series.items():
        yield from _list_series(name, below)


def _leave_out(value: Any) -> Any:
    """Return a document without words and without what is unknown or empty, its figures rounded."""
    if isinstance(value, float):
        return round(value, _DECIMALS) + 0.0
    if isinstance(value, list):
        return [_leave_out(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, each in value.items():
        if name not in _LEFT_OUT and each not in (None, [], {}):
            kept[name] = _leave_out(each)
    if "binding" in kept:
        kept["binding"] = [_LIMIT_CODES[said] for said in kept["binding"]]
    # A slot's reason that is a device's own stands at that device.
    return {"device": kept["device"]} if "device" in kept and "code" in kept else kept


def _list_series(path: str, value: Any) -> Iterator[str]:
    """Yield a line for each series: ``0.1*4 0.5`` is four times 0.1, then 0.5."""
    if isinstance(value, dict):
        for name, below in sorted(value.items()):
            yield from _list_series(f"{path} {name}", below)
        return
    runs = [(figure, len(list(run))) for figure, run in groupby(value)]
    written = [f"{figure}*{count}" if count > 1 else f"{figure}" for figure, count in runs]
    yield f"{path}: {' '.join(written)}"


def _write(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
