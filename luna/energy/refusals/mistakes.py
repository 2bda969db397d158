"""Refusal reasons by kind of mistake, which many parts share."""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "not-found": RefusalReason(
        "no such {thing}", "Take it from {source}.", error=NotFoundError, kinds={"thing": "thing"}
    ),
    "unknown-name": RefusalReason(
        "no such {thing}", "Choose one of: {names}.", kinds={"thing": "thing"}
    ),
}
