"""Refusal reasons of vehicles, their chargers and charging sessions.

They concern description and control of these, and the habits of a variant's vehicles.
"""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "charger-powers": RefusalReason(
        "charger: its power is not between min_charge_kw {min_charge_kw:g} and "
        "charge_limit_kw {charge_limit_kw:g}",
        "Correct the charger, or the car's limits.",
    ),
    "control-no-charger": RefusalReason(
        "control: currents and phases of {vehicle!r} are unknown",
        "Name vehicles.charger, or use {{power_w}}.",
    ),
    "arrival-unknown": RefusalReason(
        "the car's battery level on arrival is unknown",
        "Give the level on arrival, or now if the car is there: 0.4; or name its sensor "
        "under input_sensors.vehicle_soc.",
    ),
    "planned-session-overlaps": RefusalReason(
        "{vehicle} already has a session from {span}",
        "Delete it first, or begin after it: session {session_id}.",
        kinds={"vehicle": "device"},
    ),
    "planned-session-repeats-early": RefusalReason(
        "the car would come back before it has left", "Choose fewer days, or a shorter session."
    ),
    "soc-beyond": RefusalReason(
        "{name} is never charged this far",
        "Give at most {max_soc:g} (vehicles.{name}.max_soc).",
        kinds={"name": "device", "max_soc": "share"},
    ),
    "level-or-need": RefusalReason(
        "either the level or the need says how full a car is",
        "Give one of both: soc 0.4, or need_kwh 20.",
    ),
    "need-beyond-vehicle": RefusalReason(
        "the car needs more than the {holds_kwh:g} kWh that it may hold",
        "Give less.",
    ),
    "session-overlaps": RefusalReason(
        "the session begins before the previous one has ended",
        "Begin at {to} or later, or join both.",
        kinds={"to": "instant"},
    ),
    "soc-beyond-limit": RefusalReason(
        "{name} {wanted:g} is above limit_soc {limit_soc:g}",
        "Lower the level or raise the limit.",
        kinds={"wanted": "share", "limit_soc": "share"},
    ),
    "habit-without-vehicle": RefusalReason(
        "driving times and kWh per day belong only to a vehicle that the variant adds",
        "Give from, to and energy_kwh_per_day to each vehicle that is added, and to no other.",
    ),
    "day-beyond-vehicle": RefusalReason(
        "a day takes more than the {holds_kwh:g} kWh of the car's battery",
        "Give a larger battery or fewer kWh per day.",
    ),
    "no-vehicle": RefusalReason(
        "the home has no vehicle", "Add one to the site's file, under vehicles."
    ),
}
