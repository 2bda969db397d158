"""Refusal reasons of deferrable loads."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "energy-beyond-power": RefusalReason(
        "energy_kwh_per_day {energy_kwh_per_day} exceeds what power_kw gives in a day, {most_kwh}",
        None,
    ),
    "most-below-energy": RefusalReason(
        "most_kwh_per_day {most_kwh_per_day:g} lies below energy_kwh_per_day "
        "{energy_kwh_per_day:g}",
        None,
    ),
    "not-with-programme": RefusalReason(
        "{given} does not go with profile_kw: a programme runs once, from begin to end, "
        "when state.loads.NAME.runs asks for it",
        None,
    ),
    "programme-beyond-power": RefusalReason(
        "profile_kw goes up to {profile_kw:g}, beyond power_kw {power_kw:g}", None
    ),
}
