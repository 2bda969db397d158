"""Refusal reasons of vehicles, their chargers and charging sessions.

They concern description and control of these, and the habits of a variant's vehicles.
"""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "current-bounds-crossed": RefusalReason(
        "min_current_a {min_current_a:g} must not exceed max_current_a {max_current_a:g}", None
    ),
    "vehicle-soc-bounds-crossed": RefusalReason(
        "min_soc {min_soc:g} must not exceed max_soc {max_soc:g}",
        None,
        kinds={"min_soc": "share", "max_soc": "share"},
    ),
    "charger-powers": RefusalReason(
        "charger: its powers lie outside min_charge_kw {min_charge_kw:g} to "
        "charge_limit_kw {charge_limit_kw:g}",
        None,
    ),
    "control-vehicle-soc-missing": RefusalReason(
        "soc is needed where a car gives; without it nobody knows whether it may", None
    ),
    "control-no-charger": RefusalReason(
        "control: currents and phases of {vehicle!r} are not known; name vehicles.charger, "
        "or write {{power_w}}",
        None,
    ),
    "arrival-unknown": RefusalReason(
        "how full the vehicle comes is not known",
        "Say how full it is when it comes, or now where it is there: 0.4; or name its "
        "sensor under input_sensors.vehicle_soc.",
    ),
    "planned-session-reversed": RefusalReason(
        "a session ends after it begins, so this must be later than from", None
    ),
    "planned-session-overlaps": RefusalReason(
        "{vehicle} has a session from {span} already",
        "Remove it first, or begin after it: session {session_id}.",
        kinds={"vehicle": "device"},
    ),
    "planned-session-passed": RefusalReason(
        "the session is over already", "Name a time that is still to come."
    ),
    "planned-session-too-long": RefusalReason(
        "the session is too long", "Sessions last {days} days at most."
    ),
    "planned-session-repeats-early": RefusalReason(
        "it comes again before it has left", "Name fewer days, or a shorter session."
    ),
    "charge-power-beyond": RefusalReason(
        "the vehicle never charges with so much", "At most {most_kw:g} kW, its charger counted."
    ),
    "soc-beyond": RefusalReason(
        "the vehicle is never charged this far",
        "At most {max_soc:g}, its max_soc.",
        kinds={"max_soc": "share"},
    ),
    "no-such-planned-session": RefusalReason(
        "the site has no such session",
        "List them: luna session list --site {site_id}.",
        error=NotFoundError,
    ),
    "session-reversed": RefusalReason("the session ends before it begins", "Swap from and to."),
    "session-power-beyond": RefusalReason(
        "the vehicle never charges with so much",
        "At most {most_kw:g} kW (vehicles.{name}, its charger counted).",
        kinds={"name": "device"},
    ),
    "session-overlaps": RefusalReason(
        "the session begins before the one before it has ended",
        "Begin it at {to} or later, or join both.",
        kinds={"to": "instant"},
    ),
    "session-soc-beyond": RefusalReason(
        "the vehicle is never charged this far",
        "At most {max_soc:g} (vehicles.{name}.max_soc).",
        kinds={"name": "device", "max_soc": "share"},
    ),
    "soc-beyond-limit": RefusalReason(
        "{name} {wanted:g} must not exceed limit_soc {limit_soc:g}",
        None,
        kinds={"wanted": "share", "limit_soc": "share"},
    ),
    "habit-without-vehicle": RefusalReason(
        "a habit goes with a vehicle that the variant adds",
        "Give each vehicle that is added from, to and energy_kwh_per_day, and no other.",
    ),
    "variant-no-such-vehicle": RefusalReason(
        "the site has no such vehicle", "Its vehicles are: {names}."
    ),
    "day-beyond-vehicle": RefusalReason(
        "a day takes more than the vehicle holds",
        "It holds {holds_kwh:g} kWh; give it a larger battery or a shorter way.",
    ),
    "no-such-vehicle": RefusalReason(
        "the site has no such vehicle", "There are: {names}.", kinds={"names": "device"}
    ),
    "no-vehicle": RefusalReason(
        "the site has no such vehicle", "Describe one in the site's file, under vehicles."
    ),
}
