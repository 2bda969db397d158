"""Refusal reasons of deferrable loads."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "energy-beyond-power": RefusalReason(
        "energy_kwh_per_day {energy_kwh_per_day} is more than power_kw allows in a day, {most_kwh}",
        "Lower energy_kwh_per_day, or raise power_kw.",
    ),
    "not-with-programme": RefusalReason(
        "an appliance with profile_kw runs once, from start to end, and takes no {given}",
        "Leave out {given} or profile_kw; state.loads.NAME.runs starts a run.",
    ),
    "programme-beyond-power": RefusalReason(
        "profile_kw goes up to {profile_kw:g}, more than power_kw {power_kw:g}",
        "Raise power_kw to at least {profile_kw:g}, or correct profile_kw.",
    ),
}
