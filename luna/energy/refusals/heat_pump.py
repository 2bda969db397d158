"""Refusal reasons of heat pumps."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "power-bounds-crossed": RefusalReason(
        "min_power_kw {min_power_kw:g} is above power_kw {power_kw:g}",
        "Lower min_power_kw, or raise power_kw.",
    ),
    "temperatures-crossed": RefusalReason(
        "min_c {min_c:g} is not below max_c {max_c:g}", "Lower min_c, or raise max_c."
    ),
    "cop-points": RefusalReason(
        "the points of cop are not sorted from cold to warm",
        "Sort them, with each outdoor_c only once.",
    ),
}
