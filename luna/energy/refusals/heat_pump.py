"""Refusal reasons of heat pumps."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "cop-points": RefusalReason(
        "the points of cop are not sorted from cold to warm",
        "Sort them, with each outdoor_c only once.",
    ),
}
