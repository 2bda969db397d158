"""Refusal reasons of planning: requests, owners' orders, what-ifs, and a plan's inputs."""

from luna.energy.errors import ConflictError, NotFoundError, UnavailableError, UnreadableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "block-contradicts": RefusalReason(
        "{action} contradicts {other}{block} from {span}",
        "Remove one of the two, or let them follow on each other.",
    ),
    "no-such-device": RefusalReason(
        "the site has no such device", "Name one of: {names}.", kinds={"names": "device"}
    ),
    "device-cannot": RefusalReason(
        "{device} knows no such action", "Choose from: {actions}.", kinds={"device": "device"}
    ),
    "block-passed": RefusalReason(
        "the block has passed already", "Name a time that is still to come."
    ),
    "block-too-long": RefusalReason(
        "the block is too long",
        "Blocks last {days} days at most; what shall hold for good belongs into the site.",
    ),
    "power-too-small": RefusalReason(
        "too little power to charge at all", "It charges from {least:g} kW on."
    ),
    "no-control": RefusalReason(
        "the site has no section control",
        "Describe how its devices are told, as in config/site.yaml, and add it again: luna "
        "site add --file site.yaml.",
    ),
    "only-advised": RefusalReason(
        "the site is only advised; nothing is sent",
        "Choose on the page of the site how its battery is told, then arm it.",
    ),
    "instant-passed": RefusalReason("this has passed", "Name an instant that is still to come."),
    "account-ahead": RefusalReason("this period has not begun", "Name a day that has begun."),
    "device-not-controlled": RefusalReason(
        "the site's section control does not name it",
        "There are {devices}.",
        kinds={"devices": "device"},
    ),
    "no-such-mode": RefusalReason(
        "{device} has no such mode", "There are {modes}.", kinds={"device": "device"}
    ),
    "window-reversed": RefusalReason("the window ends before it begins", "Swap the days."),
    "carbon-missing": RefusalReason(
        "the grid's carbon intensity is missing",
        "Add it, load it (luna data load --kind carbon), or leave carbon out.",
    ),
    "weighted-price-high": RefusalReason(
        "a weighted price is too high",
        "Lower carbon_price_per_kg or self_sufficiency_price: prices count up to "
        "±{most_price:g} per kWh.",
    ),
    "slot-price-missing": RefusalReason(
        "the price of this slot is missing", "Load it: luna data load --kind prices."
    ),
    "no-such-block": RefusalReason(
        "the site has no such block",
        "List them: luna manual list --site {site_id}.",
        error=NotFoundError,
    ),
    "no-such-question": RefusalReason(
        "no such question",
        "Take the what_if_id from the answer that accepted it.",
        error=NotFoundError,
    ),
    "no-such-plan": RefusalReason(
        "no such plan", "Take the plan_id from the answer of a plan.", error=NotFoundError
    ),
    "no-plan-yet": RefusalReason(
        "the site has no plan yet",
        "Ask for one: POST /v1/plans, or luna plan.",
        error=NotFoundError,
    ),
    "no-plan-before": RefusalReason(
        "no plan was issued before it for the same slots",
        "Take the plan_id from the answer of a plan, or name the plan to compare with.",
        error=NotFoundError,
    ),
    "price-no-number": RefusalReason("a price is no finite number", "Leave the slot out."),
    "no-market-prices": RefusalReason(
        "no prices of this market",
        "Load some, or name the market that the site's tariff names.",
        error=NotFoundError,
    ),
    "start-within-slot": RefusalReason(
        "the start lies {over:g} minutes within a slot of {slot_minutes}",
        "Give first_slot_minutes: {remains:g} beside it, what remains of that slot; or "
        "start at {start}, where it begins.",
        kinds={"start": "instant"},
    ),
    "plan-without-site": RefusalReason(
        "a plan without a stored site needs site, start and outlook", "Add them to the request."
    ),
    "terminal-batteries": RefusalReason(
        "values do not fit the site's batteries", "Name exactly: {names}."
    ),
    "no-such-component": RefusalReason(
        "the tariff has no such component", "Its components are: {names}."
    ),
    "no-such-battery": RefusalReason("the site has no such battery", "Name one of: {names}."),
    "state-no-such-battery": RefusalReason(
        "the site has no such battery", "Its batteries are: {names}."
    ),
    "soc-missing": RefusalReason(
        "the battery's state of charge is missing", "Add it, a share from 0 to 1."
    ),
    "run-reversed": RefusalReason(
        "the run is to be over before it may begin", "Give a later instant."
    ),
    "no-such-load": RefusalReason(
        "the site has none of this name among its {kind}", "Known: {names}."
    ),
    "no-forecast-by-then": RefusalReason(
        "no forecast was issued by then", "Issue one: luna forecast issue."
    ),
    "no-forecast-then": RefusalReason(
        "no forecast covers this instant", "Issue one: luna forecast issue."
    ),
    "no-such-variant": RefusalReason("the question has no such variant", "It has: {variants}."),
    "request-without-start": RefusalReason("the stored request has no start", "Plan anew."),
    "request-without-outlook": RefusalReason("the stored request has no outlook", "Plan anew."),
    "no-forecast-at-start": RefusalReason(
        "no forecast covers the start",
        "Issue one: luna forecast issue --site {site} --at T --version {version}.",
        error=NotFoundError,
    ),
    "no-forecasts-issued": RefusalReason(
        "no forecasts were issued for the window",
        "Issue them: luna replay does so, or luna forecast issue --site {site_id} "
        "--version {version}.",
        error=NotFoundError,
    ),
    "observations-missing": RefusalReason(
        "{count} slots of the window have no observation, the first at {slot}",
        "Load them (luna data load --kind observations), or choose days without gaps (luna "
        "data query shows them).",
    ),
    "carbon-figure-missing": RefusalReason(
        "the grid's carbon intensity is missing",
        "Add it, load it (luna data load --kind carbon), or ask for other figures.",
    ),
    "plans-apart": RefusalReason(
        "both plans have no slots in common",
        "Name a plan before it that covers some of the same slots.",
    ),
    "stored-slot-length": RefusalReason(
        "a stored site is planned in slots of 15 minutes", "Leave it out."
    ),
    "inputs-without-site": RefusalReason("the plan's inputs hold no site", "Plan anew."),
    "margin-of-plan": RefusalReason(
        "a plan has no margin, acting on it has",
        "Ask it of recorded days: luna what-if --from DAY --to DAY.",
    ),
    "no-battery-sells": RefusalReason(
        "no battery of the site may sell", "Set discharge_to_grid of one to true."
    ),
    "sale-beyond": RefusalReason(
        "more than can be sold within the horizon", "Ask for {most:.1f} kWh at most."
    ),
    "why-not-no-such-device": RefusalReason("the site has no such device", "Name one of: {names}."),
    "why-not-no-such-mode": RefusalReason("is no mode of this device", "Choose from: {modes}."),
    "outside-plan": RefusalReason("lies outside the plan", "The plan covers {span}."),
    "usual-unknown": RefusalReason(
        "nothing was observed in the days before, of which the usual is made",
        "Begin the window a day later, or load what was observed before.",
    ),
    "no-array-to-scale": RefusalReason(
        "the site has no array whose production could be scaled",
        "Load the production of an array nearby as pv_kwh of this site, and give the site "
        "that array.",
    ),
    "not-from-recorded-days": RefusalReason(
        "cannot be told from recorded days", "Ask it of a plan: luna what-if --plan."
    ),
    "part-of-recorded-load": RefusalReason(
        "what it used is part of the recorded load and cannot be told from it",
        "Leave it as it is, or add another; a plan (luna what-if --plan) can change it.",
    ),
    "cost-not-in-time": RefusalReason(
        "what the block costs was not found in time",
        "Try again, or give plans more time: options.time_limit_s.",
        error=UnavailableError,
    ),
    "no-plan-to-compare": RefusalReason(
        "there is no plan to compare with yet",
        "Plan first; then every block says its cost.",
        error=ConflictError,
    ),
    "no-such-question-here": RefusalReason(
        "no such question", "Go back to the page that asked it.", error=NotFoundError
    ),
    "no-number": RefusalReason(
        "this is no number", "Write kilowatts, such as 3.5, or leave it empty."
    ),
    "block-reversed": RefusalReason(
        "a block ends after it begins, so this must be later than from", None
    ),
    "power-without-charge": RefusalReason(
        "this goes with charge and discharge, not with {action}", None
    ),
    "warning-reversed": RefusalReason(
        "a warning ends after it begins: to must be later than from", None
    ),
    "terminal-value-missing": RefusalReason(
        "terminal.value is needed: currency per stored kWh", None
    ),
    "risk-without-scenarios": RefusalReason(
        "options.risk weighs scenarios: it needs options.uncertainty: scenarios", None
    ),
    "site-or-site-id": RefusalReason(
        "give either site (with start, outlook and state) or site_id", None
    ),
    "site-without-outlook": RefusalReason(
        "a site in the request needs start and outlook beside it", None
    ),
    "scenarios-missing": RefusalReason(
        "options.uncertainty: scenarios needs outlook.scenarios: probability, load_kwh, pv_kwh",
        None,
    ),
    "first-slot-too-long": RefusalReason(
        "first_slot_minutes is what remains of the first slot: at most slot_minutes", None
    ),
    "scenario-energies": RefusalReason(
        "scenarios are energies from 0 to {most_kwh} kWh by scenario and slot", None
    ),
    "probabilities-sum": RefusalReason(
        "probabilities add up to {probability:g}, one at most", None
    ),
    "on-and-off": RefusalReason(
        "on_hours {on_hours:g} and off_hours {off_hours:g}: it is on or off, give one of them", None
    ),
    "until-before-slot": RefusalReason("until must be later than slot", None),
    "figures-without-charge": RefusalReason(
        "power_kw and target_soc go with charge and export, not with {mode}", None
    ),
    "variant-names": RefusalReason(
        "every variant has a name of its own, and {baseline} is the site as it is; wrong "
        "is {name!r}",
        None,
    ),
    "figures-alike": RefusalReason("figures: name two different ones", None),
    "charges-with-less": RefusalReason(
        "more power than the device has", "{device} takes {most:g} kW at most."
    ),
    "discharges-with-less": RefusalReason(
        "more power than the device has", "{device} gives {most:g} kW at most."
    ),
    "slots-beyond-interval": RefusalReason(
        "slots are longer than the tariff's interval", "Plan in shorter slots."
    ),
    "no-own-prices": RefusalReason(
        "no prices were loaded for the site itself", "Load them: luna data load --kind prices."
    ),
    "market-without-prices": RefusalReason(
        "no prices of this market", "Load them: luna data load --kind prices."
    ),
    "prices-missing": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "Load them: luna data load --kind prices.",
        kinds={"since": "instant"},
    ),
    "prices-in-other-currency": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "They are known in {known} alone, and the site pays in {currency}: ask for them in "
        "{currency}:"
        " luna data prices --market {market} --currency {currency}; or load them in "
        "{currency}: luna data load --kind prices.",
        kinds={"since": "instant"},
    ),
    "own-prices-in-other-currency": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "They are known in {known} alone, and the site pays in {currency}: load them in "
        "{currency}: luna data load --kind prices.",
        kinds={"since": "instant"},
    ),
    "block-impossible": RefusalReason("{why}", "Leave the block out, or move it.", quotes=True),
    "prices-of-quarter-hours": RefusalReason(
        "stored prices are those of quarter-hours", "Plan in slots of 15 minutes."
    ),
    "which-battery": RefusalReason("which battery is not said", "Name one of: {names}."),
    "no-battery": RefusalReason("which battery is not said", "The site has no battery."),
    "no-battery-mode": RefusalReason("is no mode of a battery", "Choose from: {modes}."),
    "alternative-impossible": RefusalReason(
        "impossible: {why}", "Ask for less, for another mode or for another slot.", quotes=True
    ),
    "fault-strikes-once": RefusalReason(
        "a fault that names its instant strikes once: leave out times, or from", None
    ),
    "days-together": RefusalReason("from_day and to_day are named together, or neither", None),
    "validity-reversed": RefusalReason("valid_until must not be before valid_from", None),
    "to-day-alone": RefusalReason("to_day needs from_day before it", None),
    "days-apart": RefusalReason(
        "to_day lies at most {days} days after from_day, and not before it", None
    ),
    "days-from": RefusalReason("this is a day from from_day on, at most {days} days of it", None),
    "tariff-not-replayable": RefusalReason(
        "a tariff in {kind} cannot be replayed day by day",
        "Replay the site with the price of the block it mostly ends in.",
    ),
    "no-such-policy": RefusalReason("no such policy", "Choose from: {names}."),
    "plan-of-other-release": RefusalReason(
        "a plan of another release: it has no {names}",
        "Plan anew; update Luna to read it.",
        error=UnreadableError,
    ),
    "plan-not-whole": RefusalReason(
        "a plan is not stored whole",
        "Plan anew; restore a backup to read it.",
        error=UnreadableError,
    ),
}
