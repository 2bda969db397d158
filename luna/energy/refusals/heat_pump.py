"""Refusal reasons of heat pumps."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "power-bounds-crossed": RefusalReason(
        "min_power_kw {min_power_kw:g} must not exceed power_kw {power_kw:g}", None
    ),
    "temperatures-crossed": RefusalReason("min_c {min_c:g} must lie below max_c {max_c:g}", None),
    "cop-points": RefusalReason("cop: the points go from cold to warm, each outdoor_c once", None),
}
