"""What always holds of a plan's reasons, whichever of several true ones it gives."""

import re
from datetime import datetime
from math import inf

from luna.words.reason_wordings import COMPARED, FIGURES, list_reason_codes
from tests.support.planning.given_reason import (
    EXACT_KWH,
    Document,
    GivenReason,
    read_battery_figures,
    read_reasons,
)

# What is claimed, by which codes as a pattern, and whether it holds.
Claim = tuple[str, str, bool]
# A reply rounds to a millionth: sums of energies, powers and states of charge agree to this.
KWH = EXACT_KWH
KW = 1e-3
WATT_HOUR_KWH = 1.1e-3
SOC = 3e-5
# The largest figure of each unit in a home.
MOST = {"energy": 999, "power": 99, "share": 1, "price": 5, "money": 999, "hours": 99, "count": 999}
STORES = "store_solar|feed_in_limit|operator_feed_in"
CHARGES = f"{STORES}|charge_.*"
IMPORT_LIMITS = "grid_limit|operator_limit"
GIVES = "serve_house|sell_stored"
USES = "use_(cheapest|throughout|surplus|now|limited)|load_(gap|programme)|ev_(pinned|minimum)"
RESTS = "hold_for_peak|cycles|empty|full|least_power|sell_solar|rest"
WAITS = "(use|ev)_waits.*"


def list_faults(request: Document, reply: Document) -> list[tuple[str, str, str, str]]:
    """Return of every claim that does not hold: instant, code and sentence of the reason, claim."""
    faults = []
    for given in read_reasons(request, reply):
        claims = [*claim_flows(given), *claim_figures(given)]
        claims += claim_later(given) if "time" in given.figures else []
        claims += claim_battery(given) if given.is_battery else claim_other(given)
        text = given.reason["text"]
        for claim, codes, holds in claims:
            if not holds and re.fullmatch(codes, given.code):
                faults.append((given.now.start, given.code, text, claim))
    return faults


def claim_flows(given: GivenReason) -> list[Claim]:
    """Return what is said of device, house and grid in the slot."""
    now = given.now
    idle = now.taken + now.given <= KWH
    sun_left = now.export_kwh + now.curtailed_kwh
    # An inverter passes sun to its battery that the house cannot use.
    has_inverter = bool(given.request["site"]["inverters"])
    is_balanced = now.short <= KWH and (sun_left <= KWH or has_inverter)
    return [
        ("charges", f"{CHARGES}|{USES}", now.taken > 0),
        ("gives", f"{GIVES}|ev_gives", now.given > 0),
        ("moves", "other_battery", "kwh" not in given.figures or not idle),
        ("charges for it", "reserve", "kwh" not in given.figures or now.taken > 0),
        ("rests for it", "reserve", "kwh" in given.figures or idle),
        ("gives for it", "peak", "kw" not in given.figures or now.given > 0),
        ("rests", RESTS, idle),
        ("is off", f"{WAITS}|use_ready|load_not_now", idle),
        ("buys", "charge_from_grid|charge_negative", now.import_kwh > 0),
        ("buys nothing", "use_surplus", now.import_kwh <= KWH),
        ("sells", "sell_.*", now.export_kwh > 0),
        ("is needed", "serve_house", now.need > 0),
        ("is short", "hold_for_peak|cycles|empty|not_for_car", now.short > 0),
        ("is not short", "other_battery", now.short <= KWH or not idle),
        ("has surplus", STORES, now.need < now.curtailed_kwh or has_inverter),
        ("leaves sun", "least_power|sell_solar", sun_left > 0),
        ("limits sun", "solar_limited", now.curtailed_kwh > 0),
        ("has nothing to do", "rest", given.figures.keys() & {"buy", "value"} or is_balanced),
    ]


def claim_figures(given: GivenReason) -> list[Claim]:
    """Return whether the code is known, figures are plausible, and in the order that is said."""
    figures = given.figures
    claims = [("is a reason", ".*", given.code in list_reason_codes())]
    for name in figures.keys() - {"time", "start"}:
        claims += [(f"{name} is plausible", ".*", abs(figures[name]) <= MOST[FIGURES[name]])]
    for low, high in COMPARED.get(given.code, ()):
        ordered = figures.get(low, -inf) < figures.get(high, inf)
        claims += [(f"{low} is below {high}", ".*", ordered)]
    return claims


def claim_later(given: GivenReason) -> list[Claim]:
    """Return what is said of the sentence's time."""
    now = given.now
    then = given.then
    figures = given.figures
    time = datetime.fromisoformat(figures["time"])
    after = given.slots[given.slot + 1 :]
    charged = next((slot for slot in after if slot.taken > 0), None)
    moved = next((slot for slot in after if slot.taken + slot.given > 0), None)
    filled = then.import_kwh / then.hours >= figures.get("kw", 0.0) - KW
    price = figures.get("sell" if given.code == "sell_solar" else "buy", inf)
    return [
        ("is later", ".*", time > now.begin),
        (
            "gives then",
            f"charge_from_grid|store_solar|hold_for_peak|{IMPORT_LIMITS}",
            then.given > 0,
        ),
        ("is filled then", IMPORT_LIMITS, filled),
        ("charges then", f"{GIVES}|sell_solar|empty|{WAITS}", then is charged),
        ("costs less then", "serve_house|sell_solar", then.use_price < price),
        ("moves then", "rest", then is moved),
        ("is set until then", "manual", given.obeys_until(time)),
    ]


def claim_other(given: GivenReason) -> list[Claim]:
    """Return what is said of the prices of a car, an appliance or a site without a battery."""
    now = given.now
    figures = given.figures
    buy = now.import_price if given.code == "ev_gives" else now.use_price
    # Prices decide where both are given; else the window's mean may stand among the figures.
    # Where a device waits, its least power and what is drawn are more than the operator allows.
    allowed_kwh = min(given.operator_kw("import_limit_kw")) * now.hours
    is_allowed = abs(figures.get("kw", 0.0) * now.hours - allowed_kwh) <= KWH
    is_filled = now.import_kwh >= allowed_kwh - WATT_HOUR_KWH
    is_paid = "buy" not in figures or given.then.use_price == figures.get("price")
    return [
        ("is cheapest", "use_cheapest", "_cheapest" not in given.code or given.is_cheapest()),
        ("buys at that", ".*", buy == figures.get("buy", buy)),
        ("sells at that", ".*", now.export_price == figures.get("sell", now.export_price)),
        ("is paid then", "use_waits", is_paid),
        ("is allowed", "use_limited|use_waits_limit", is_allowed),
        ("fills what is allowed", "use_limited", is_filled),
    ]


def claim_battery(given: GivenReason) -> list[Claim]:
    """Return what is said of a battery's figures, levels and limits."""
    now = given.now
    figures = given.figures
    reserves = given.reserves_soc
    lowest = given.device["min_soc"]
    highest = given.device["max_soc"]
    moved = now.taken + now.given
    filled_kwh = figures.get("kw", 0.0) * now.hours
    imports_that = "time" in figures or now.import_kwh >= filled_kwh - KWH
    planned = figures.get("takes", 0.0), figures.get("gives", 0.0)
    claims = [
        ("differs from the planner", "learned", planned != (now.taken, now.given)),
        ("moves that", f"{CHARGES}|{GIVES}|other_battery", figures.get("kwh", 0.0) <= moved + KWH),
        ("fills the connection", IMPORT_LIMITS, imports_that),
        (
            "fills the connection",
            "feed_in_limit|operator_feed_in",
            now.export_kwh >= filled_kwh - KWH,
        ),
        ("is at its lowest", "empty", now.soc <= max(lowest, *reserves, 0.0) + SOC),
        ("holds something", "hold_for_peak|cycles", now.soc > lowest),
        ("is full", "full", now.soc_before >= highest - SOC),
        ("has room", "sell_solar", now.soc_before < highest),
    ]
    for name, known in read_battery_figures(given).items():
        distance = min((abs(figures.get(name, right) - right) for right in known), default=0.0)
        claims += [(f"{name} is that", ".*", distance <= (KW if name == "kw" else KWH))]
    return claims
