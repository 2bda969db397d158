"""Refusal reasons of planning: requests, owners' orders, what-ifs, and a plan's inputs."""

from luna.energy.errors import ConflictError, NotFoundError, UnavailableError, UnreadableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "block-contradicts": RefusalReason(
        "{action} contradicts {other}{block} from {span}",
        "Remove one of the two, or choose another time.",
    ),
    "no-such-device": RefusalReason(
        "the site has no such device", "Choose one of: {names}.", kinds={"names": "device"}
    ),
    "block-too-long": RefusalReason(
        "the block is too long",
        "Give at most {days} days. What holds for good belongs in the site.",
    ),
    "power-too-small": RefusalReason(
        "the device cannot charge with so little power", "Give at least {least:g} kW."
    ),
    "no-control": RefusalReason(
        "the site has no section control",
        "Describe how Luna controls its devices, as in config/site.yaml, then: luna site "
        "add --file site.yaml.",
    ),
    "only-advised": RefusalReason(
        "Luna only gives advice for this site and controls no device",
        "Choose on the site's page how Luna controls the battery, then turn control on.",
    ),
    "account-ahead": RefusalReason(
        "this period has not started yet", "Give today or an earlier day."
    ),
    "steering-unmetered": RefusalReason(
        "no sensor measures the grid connection",
        "Add total_grid_import or total_load_consumption under input_sensors, then switch it on.",
    ),
    "device-not-controlled": RefusalReason(
        "Luna does not control this device",
        "Choose one of: {devices}.",
        kinds={"devices": "device"},
    ),
    "no-such-mode": RefusalReason(
        "{device} has no such mode", "Choose one of: {modes}.", kinds={"device": "device"}
    ),
    "carbon-missing": RefusalReason(
        "the carbon intensity of the grid is missing",
        "Add it, load it (luna data load --kind carbon), or do without carbon.",
    ),
    "weighted-price-high": RefusalReason(
        "the weights for carbon or self-sufficiency raise a price too far",
        "Lower carbon_price_per_kg or self_sufficiency_price. A price may reach "
        "±{most_price:g} per kWh.",
    ),
    "slot-price-missing": RefusalReason(
        "the price of this quarter-hour is missing", "Load it: luna data load --kind prices."
    ),
    "no-plan-yet": RefusalReason(
        "the site has no plan yet",
        "Ask for one: POST /v1/plans, or luna plan.",
        error=NotFoundError,
    ),
    "no-plan-before": RefusalReason(
        "there is no earlier plan for this time",
        "Take the plan_id from the answer of a plan, or name the plan to compare with.",
        error=NotFoundError,
    ),
    "price-no-number": RefusalReason(
        "a price is not a finite number", "Correct it, or leave the slot out."
    ),
    "no-market-prices": RefusalReason(
        "there are no prices of this market",
        "Load prices, or name the market of the site's tariff.",
        error=NotFoundError,
    ),
    "start-within-slot": RefusalReason(
        "the start is {over:g} minutes into a slot of {slot_minutes} minutes",
        "Start at {start}, where the slot begins, or give first_slot_minutes: {remains:g} as well.",
        kinds={"start": "instant"},
    ),
    "plan-without-site": RefusalReason(
        "a plan without a stored site needs site, start and outlook", "Add them to the request."
    ),
    "terminal-batteries": RefusalReason(
        "the values do not match the site's batteries", "Give one value for each of: {names}."
    ),
    "soc-missing": RefusalReason(
        "the battery's state of charge is missing", "Give it as a share from 0 to 1."
    ),
    "no-forecast-then": RefusalReason(
        "there is no forecast for this time", "Issue one: luna forecast issue."
    ),
    "no-forecast-at-start": RefusalReason(
        "there is no forecast for the start",
        "Issue one: luna forecast issue --site {site} --at T --version {version}.",
        error=NotFoundError,
    ),
    "no-forecasts-issued": RefusalReason(
        "there are no forecasts for the window",
        "Issue them: luna replay does so, or luna forecast issue --site {site_id} "
        "--version {version}.",
        error=NotFoundError,
    ),
    "observations-missing": RefusalReason(
        "{count} quarter-hours of the window have no measured value, the first at {slot}",
        "Load them (luna data load --kind observations), or choose days without gaps "
        "(see luna data query).",
    ),
    "plans-apart": RefusalReason(
        "the two plans have no slots in common",
        "Name an earlier plan that covers some of the same slots.",
    ),
    "stored-slot-length": RefusalReason(
        "a stored site is planned in quarter-hours only", "Leave it out."
    ),
    "margin-of-plan": RefusalReason(
        "a margin has no effect on a single plan",
        "Ask about past days: luna what-if --from DAY --to DAY.",
    ),
    "no-battery-sells": RefusalReason(
        "none of the site's batteries may sell", "Set discharge_to_grid of one to true."
    ),
    "sale-beyond": RefusalReason(
        "the batteries cannot sell that much in this time", "Give at most {most:.1f} kWh."
    ),
    "outside-plan": RefusalReason(
        "this time is outside the plan",
        "Choose a time from {start:%Y-%m-%d %H:%M %Z} to {end:%Y-%m-%d %H:%M %Z}.",
        kinds={"start": "instant", "end": "instant"},
    ),
    "usual-unknown": RefusalReason(
        "there are no measured values from the days before",
        "Start the window a day later, or load the values of the days before.",
    ),
    "no-array-to-scale": RefusalReason(
        "the site has no array yet to calculate from",
        "Load the production of an array nearby as pv_kwh of this site, and add that "
        "array to the site.",
    ),
    "not-from-recorded-days": RefusalReason(
        "past days cannot answer this", "Ask about a plan: luna what-if --plan."
    ),
    "part-of-recorded-load": RefusalReason(
        "the device's past use is part of the measured consumption",
        "Leave the device as it is, add another one, or ask about a plan: luna what-if --plan.",
    ),
    "cost-not-in-time": RefusalReason(
        "the cost of the block was not calculated in time",
        "Try again, or give plans more time: options.time_limit_s.",
        error=UnavailableError,
    ),
    "no-plan-to-compare": RefusalReason(
        "there is no plan yet to compare with",
        "Plan first; then each block shows its cost.",
        error=ConflictError,
    ),
    "limit-without-power": RefusalReason(
        "the limit has no power", "Give import_kw, export_kw or both."
    ),
    "limit-far-ahead": RefusalReason(
        "the time is too far ahead",
        "Give a time within {days} days. What holds for good belongs in the site: "
        "grid.import_limit_kw and grid.export_limit_kw.",
    ),
    "too-many-limits": RefusalReason(
        "the site has {most} limits in force and ahead", "Release some of them first."
    ),
    "power-without-charge": RefusalReason(
        "only charge and discharge take a power, {action} does not", "Leave out the power."
    ),
    "terminal-value-missing": RefusalReason(
        "terminal.value is missing", "Give the value per stored kWh, in the site's currency."
    ),
    "risk-without-scenarios": RefusalReason(
        "options.risk needs several scenarios",
        "Set options.uncertainty to scenarios, or leave out options.risk.",
    ),
    "site-or-site-id": RefusalReason(
        "the request needs either site (with start, outlook and state) or site_id",
        "Give one of the two.",
    ),
    "site-without-outlook": RefusalReason(
        "with site, the request needs start and outlook as well", "Add them."
    ),
    "scenarios-missing": RefusalReason(
        "options.uncertainty is scenarios, but outlook.scenarios is missing",
        "Add probability, load_kwh and pv_kwh there.",
    ),
    "first-slot-too-long": RefusalReason(
        "first_slot_minutes is longer than slot_minutes", "Give at most slot_minutes."
    ),
    "scenario-energies": RefusalReason(
        "an energy of a scenario is not between 0 and {most_kwh} kWh", "Correct the scenarios."
    ),
    "probabilities-sum": RefusalReason(
        "the probabilities add up to {probability:g}", "Lower them to at most 1 in total."
    ),
    "on-and-off": RefusalReason(
        "on_hours {on_hours:g} and off_hours {off_hours:g} cannot both hold",
        "Give only one of them.",
    ),
    "figures-without-charge": RefusalReason(
        "only charge and export take power_kw and target_soc, {mode} does not", "Leave both out."
    ),
    "variant-names": RefusalReason(
        "two variants have the name {name!r}",
        "Give each variant its own name; {baseline} is the site as it is.",
    ),
    "figures-alike": RefusalReason("the two figures are the same", "Choose two different ones."),
    "slots-beyond-interval": RefusalReason(
        "the slots are longer than the interval of the tariff's peak", "Plan in shorter slots."
    ),
    "no-own-prices": RefusalReason(
        "the site's own prices are missing", "Load them: luna data load --kind prices."
    ),
    "market-without-prices": RefusalReason(
        "there are no prices of this market yet", "Load them: luna data load --kind prices."
    ),
    "prices-missing": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "Load them: luna data load --kind prices.",
        kinds={"since": "instant"},
    ),
    "prices-in-other-currency": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "The prices are in {known}, the site pays in {currency}. Fetch them: luna data "
        "prices --market {market} --currency {currency}; or load them in {currency}: "
        "luna data load --kind prices.",
        kinds={"since": "instant"},
    ),
    "own-prices-in-other-currency": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "The prices are in {known}, the site pays in {currency}. Load them in "
        "{currency}: luna data load --kind prices.",
        kinds={"since": "instant"},
    ),
    "block-impossible": RefusalReason(
        "{why}", "Leave the block out, or choose another time.", quotes=True
    ),
    "prices-of-quarter-hours": RefusalReason(
        "stored prices are for quarter-hours only", "Plan in slots of 15 minutes."
    ),
    "which-battery": RefusalReason("the site has several batteries", "Choose one of: {names}."),
    "no-battery": RefusalReason("the site has no battery", "Add a battery to the site first."),
    "alternative-impossible": RefusalReason(
        "not possible: {why}", "Choose less power, another mode or another slot.", quotes=True
    ),
    "fault-strikes-once": RefusalReason(
        "a fault at a fixed time can only happen once", "Leave out times, or from."
    ),
    "days-together": RefusalReason("from_day and to_day belong together", "Give both, or neither."),
    "plan-of-other-release": RefusalReason(
        "another release of Luna made this plan; it has no {names}",
        "Plan anew, or update Luna.",
        error=UnreadableError,
    ),
    "plan-not-whole": RefusalReason(
        "the plan is only partly stored",
        "Plan anew, or restore a backup.",
        error=UnreadableError,
    ),
}
