"""What tools tell of forecasts, plans, savings and what would be otherwise."""

from luna.words.numbers import Language

_Phrases = dict[str, dict[Language, str]]

FORECASTS: _Phrases = {
    "forecast_window": {"en": "From {begin} to {end}:", "de": "Von {begin} bis {end}:"},
    "forecast_load": {
        "en": "the house is expected to use {expected}; every slot at its {low_level} value: {low}, at its {high_level} value: {high}.",
        "de": "erwartet wird ein Verbrauch von {expected}; jeder Zeitabschnitt auf seinem {low_level}-Wert: {low}, auf dem {high_level}-Wert: {high}.",
    },
    "forecast_pv": {
        "en": "PV is expected to bring {expected}; every slot at its {low_level} value: {low}, at its {high_level} value: {high}.",
        "de": "PV bringt voraussichtlich {expected}; jeder Zeitabschnitt auf seinem {low_level}-Wert: {low}, auf dem {high_level}-Wert: {high}.",
    },
    "forecast_peak": {"en": "Most is expected on {at}: {power}.", "de": "Am meisten wird es am {at}: {power}."},
    "forecast_ends": {"en": "The forecast reaches to {until}.", "de": "Die Prognose reicht bis {until}."},
    "forecast_issued": {
        "en": "This is the forecast of {version}, issued on {issued}.",
        "de": "Das ist die Prognose von {version} vom {issued}.",
    },
    "no_forecast": {"en": "{period} no forecast is stored.", "de": "{period} ist keine Prognose gespeichert."},
    "series_load_p10": {"en": "consumption, low", "de": "Verbrauch, niedrig"},
    "series_load_p90": {"en": "consumption, high", "de": "Verbrauch, hoch"},
    "series_pv_p10": {"en": "PV, low", "de": "PV, niedrig"},
    "series_pv_p90": {"en": "PV, high", "de": "PV, hoch"},
}
PLANS: _Phrases = {
    "no_plan": {"en": "No plan is in force.", "de": "Es gilt kein Plan."},
    "no_plan_at": {"en": "No plan covers {at}.", "de": "Kein Plan umfasst {at}."},
    "plan_does_not_reach": {
        "en": "The plan in force covers none of this time; it ends on {until}.",
        "de": "Der geltende Plan umfasst diese Zeit nicht; er endet am {until}.",
    },
    "plan_cost": {
        "en": "The plan of {issued} costs {cost} up to {end}.",
        "de": "Der Plan vom {issued} kostet bis {end} {cost}.",
    },
    "plan_self_sufficiency": {"en": "{share} of the consumption in it is not bought.", "de": "{share} des Verbrauchs darin werden nicht gekauft."},
    "plan_window": {"en": "From {begin} to {end}:", "de": "Von {begin} bis {end}:"},
    "plan_charge": {
        "en": "Batteries charge {total}, next from {begin} to {end} ({kwh}).",
        "de": "Batterien laden {total}, als Nächstes von {begin} bis {end} ({kwh}).",
    },
    "plan_discharge": {
        "en": "They give {total}, next from {begin} to {end} ({kwh}).",
        "de": "Sie geben {total} ab, als Nächstes von {begin} bis {end} ({kwh}).",
    },
    "plan_no_charge": {"en": "Batteries do not charge.", "de": "Batterien laden nicht."},
    "plan_no_discharge": {"en": "They give nothing.", "de": "Sie geben nichts ab."},
    "plan_soc": {
        "en": "{battery} is between {low} and {high} full, at the end {last}.",
        "de": "{battery} ist zwischen {low} und {high} voll, am Ende {last}.",
    },
    "no_battery": {"en": "The site has no battery.", "de": "Der Standort hat keine Batterie."},
    "reason_mode": {"en": "{begin} to {end}: {mode}.", "de": "{begin} bis {end}: {mode}."},
    "reason": {"en": "{text}", "de": "{text}"},
    "reason_charge": {"en": "Batteries take {kwh}.", "de": "Batterien nehmen {kwh} auf."},
    "reason_discharge": {"en": "Batteries give {kwh}.", "de": "Batterien geben {kwh} ab."},
    "reason_price": {"en": "A bought kWh costs {price} then.", "de": "Eine gekaufte kWh kostet dann {price}."},
    "reason_value": {"en": "A stored kWh is worth {value} there.", "de": "Eine gespeicherte kWh ist dort {value} wert."},
    "reason_opposite": {"en": "The opposite would cost {cost} more.", "de": "Das Gegenteil würde {cost} mehr kosten."},
    "reason_opposite_little": {"en": "The opposite would cost less than a cent more or less.", "de": "Das Gegenteil würde sich um keinen Cent unterscheiden."},
    "reason_limits": {"en": "Limits at work: {limits}.", "de": "Grenzen, die wirken: {limits}."},
}
SAVINGS: _Phrases = {
    "savings_counted": {"en": "{period} {counted} of {days} days count.", "de": "{period} zählen {counted} von {days} Tagen."},
    "savings_saved": {
        "en": "On them Luna saved {amount}: {luna} instead of {without} with the inverter alone.",
        "de": "An ihnen hat Luna {amount} gespart: {luna} statt {without} mit dem Wechselrichter allein.",
    },
    "savings_lost": {
        "en": "On them Luna cost {amount} more: {luna} instead of {without} with the inverter alone.",
        "de": "An ihnen hat Luna {amount} mehr gekostet: {luna} statt {without} mit dem Wechselrichter allein.",
    },
    "savings_share": {
        "en": "That is {share} of what perfect foresight would have saved ({possible}).",
        "de": "Das sind {share} dessen, was vollkommene Voraussicht gespart hätte ({possible}).",
    },
    "no_scores": {
        "en": "{period} none of {days} days has been replayed, so what Luna saved is not known.",
        "de": "{period} ist von {days} Tagen keiner nachgerechnet; was Luna gespart hat, ist nicht bekannt.",
    },
}
VARIANTS: _Phrases = {
    "variant_battery_capacity_kwh": {"en": "a battery of {value}", "de": "eine Batterie von {value}"},
    "variant_pv_peak_kw": {"en": "PV of {value}", "de": "PV von {value}"},
    "variant_import_price": {"en": "an import price of {value}", "de": "ein Bezugspreis von {value}"},
    "variant_export_price": {"en": "a feed-in price of {value}", "de": "ein Einspeisepreis von {value}"},
    "variant_costs": {
        "en": "The plan in force costs {before}; with other equipment or prices ({list}) it costs {after}.",
        "de": "Der geltende Plan kostet {before}; mit anderer Ausstattung oder anderen Preisen ({list}) kostet er {after}.",
    },
    "variant_more": {
        "en": "With what is left in the batteries counted, that is {amount} more.",
        "de": "Mit dem, was in den Batterien bleibt, sind das {amount} mehr.",
    },
    "variant_less": {
        "en": "With what is left in the batteries counted, that is {amount} less.",
        "de": "Mit dem, was in den Batterien bleibt, sind das {amount} weniger.",
    },
    "variant_horizon": {
        "en": "This is about the days of the plan alone; it says nothing of a year.",
        "de": "Das gilt für die Tage des Plans allein und sagt nichts über ein Jahr.",
    },
    "variant_needs_device": {"en": "The site has no device of this kind to change.", "de": "Der Standort hat kein solches Gerät, das anders sein könnte."},
    "no_planner": {
        "en": "No planner can be asked at the moment, so this is not known.",
        "de": "Zurzeit ist kein Planer erreichbar; das ist daher nicht bekannt.",
    },
    "planner_refused": {"en": "The planner could not answer: {why}.", "de": "Der Planer konnte nicht antworten: {why}."},
    "as_it_is": {"en": "as it is", "de": "wie es ist"},
    "as_it_would_be": {"en": "as it would be", "de": "wie es wäre"},
}
PLAN_PHRASES: _Phrases = FORECASTS | PLANS | SAVINGS | VARIANTS
