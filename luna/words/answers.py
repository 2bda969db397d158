"""What tools over a site's data tell, in English and German: sentences and phrases with names in the place of figures."""

from luna.words.answer_plans import PLAN_PHRASES
from luna.words.devices import DEVICE_WORDS
from luna.words.house import HOUSE
from luna.words.numbers import Language

_Phrases = dict[str, dict[Language, str]]

PERIODS: _Phrases = {
    "one_day": {"en": "On {first}", "de": "Am {first}"},
    "days": {"en": "From {first} to {last}", "de": "Vom {first} bis {last}"},
    "one_day_hours": {"en": "On {first}, {from_clock} to {to_clock},", "de": "Am {first} von {from_clock} bis {to_clock} Uhr"},
    "days_hours": {"en": "From {first}, {from_clock}, to {last}, {to_clock},", "de": "Vom {first}, {from_clock} Uhr, bis {last}, {to_clock} Uhr,"},
}
PRICES: _Phrases = {
    "price_import": {"en": "the import price", "de": "der Bezugspreis"},
    "price_export": {"en": "the feed-in price", "de": "der Einspeisepreis"},
    "price_spot": {"en": "the {market} spot price", "de": "der Spotpreis {market}"},
    "price_mean": {"en": "{period} {what} averaged {mean}.", "de": "{period} lag {what} im Mittel bei {mean}."},
    "price_constant": {"en": "It was the same throughout.", "de": "Er war die ganze Zeit gleich."},
    "price_extremes": {
        "en": "The lowest was {lowest} at {lowest_at}, the highest {highest} at {highest_at}.",
        "de": "Am niedrigsten war er um {lowest_at} mit {lowest}, am höchsten um {highest_at} mit {highest}.",
    },
    "price_extremes_days": {
        "en": "The lowest was {lowest} on {lowest_at}, the highest {highest} on {highest_at}.",
        "de": "Am niedrigsten war er am {lowest_at} mit {lowest}, am höchsten am {highest_at} mit {highest}.",
    },
    # Of days that are all to come: what a tariff says today of next year may be another by then.
    "price_mean_ahead": {
        "en": "{period} {what} averages {mean}, as far as is known today.",
        "de": "{period} liegt {what} im Mittel bei {mean}, soweit heute bekannt.",
    },
    "price_constant_ahead": {"en": "It is the same throughout.", "de": "Er ist die ganze Zeit gleich."},
    "price_extremes_ahead": {
        "en": "The lowest is {lowest} at {lowest_at}, the highest {highest} at {highest_at}.",
        "de": "Am niedrigsten ist er um {lowest_at} mit {lowest}, am höchsten um {highest_at} mit {highest}.",
    },
    "price_extremes_days_ahead": {
        "en": "The lowest is {lowest} on {lowest_at}, the highest {highest} on {highest_at}.",
        "de": "Am niedrigsten ist er am {lowest_at} mit {lowest}, am höchsten am {highest_at} mit {highest}.",
    },
    "price_negative_ahead": {"en": "For {hours} it is below zero.", "de": "{hours} lang liegt er unter null."},
    "price_never_negative_ahead": {"en": "It is never below zero.", "de": "Unter null liegt er nie."},
    "price_negative": {"en": "For {hours} it was below zero.", "de": "{hours} lang lag er unter null."},
    "price_never_negative": {"en": "It was never below zero.", "de": "Unter null lag er nie."},
    "price_same": {"en": "The period before it averaged the same, {before}.", "de": "Im Zeitraum davor war das Mittel dasselbe, {before}."},
    "price_dearer": {
        "en": "That is {difference} more than in the period before it ({before}).",
        "de": "Das sind {difference} mehr als im Zeitraum davor ({before}).",
    },
    "price_cheaper": {
        "en": "That is {difference} less than in the period before it ({before}).",
        "de": "Das sind {difference} weniger als im Zeitraum davor ({before}).",
    },
    "partly_known": {"en": "Prices are known for {share} of the time.", "de": "Preise sind für {share} der Zeit bekannt."},
    "no_market": {
        "en": "The site's tariff names no such market, so no spot prices are kept for it.",
        "de": "Der Tarif des Standorts nennt keinen solchen Markt; Spotpreise dafür liegen nicht vor.",
    },
    "no_prices": {"en": "{period} {what} is not known.", "de": "{period} ist {what} nicht bekannt."},
}
ENERGIES: _Phrases = {
    "energies": {"en": "{period}: {list}.", "de": "{period}: {list}."},
    "amount_load": {"en": "{kwh} used by the house", "de": "{kwh} Verbrauch"},
    "amount_pv": {"en": "{kwh} from PV", "de": "{kwh} aus PV"},
    "amount_import": {"en": "{kwh} bought from the grid", "de": "{kwh} Netzbezug"},
    "amount_export": {"en": "{kwh} fed in", "de": "{kwh} eingespeist"},
    "amount_charge": {"en": "{kwh} charged into batteries", "de": "{kwh} in Batterien geladen"},
    "amount_discharge": {"en": "{kwh} discharged from batteries", "de": "{kwh} aus Batterien entnommen"},
    "series_load": {"en": "consumption", "de": "Verbrauch"},
    "series_pv": {"en": "PV", "de": "PV"},
    "series_import": {"en": "import", "de": "Netzbezug"},
    "series_export": {"en": "feed-in", "de": "Einspeisung"},
    "series_charge": {"en": "battery charging", "de": "Batterie laden"},
    "series_discharge": {"en": "battery discharging", "de": "Batterie entladen"},
    "series_import_price": {"en": "import price", "de": "Bezugspreis"},
    "series_export_price": {"en": "feed-in price", "de": "Einspeisepreis"},
    "series_spot_price": {"en": "spot price", "de": "Spotpreis"},
    "series_soc": {"en": "state of charge", "de": "Ladestand"},
    "series_cost": {"en": "cost", "de": "Kosten"},
    "series_unknown": {"en": "Not recorded: {list}.", "de": "Nicht aufgezeichnet: {list}."},
    "self_sufficiency": {"en": "{share} of the consumption did not have to be bought.", "de": "{share} des Verbrauchs mussten nicht gekauft werden."},
    "partly_recorded": {
        "en": "Only {share} of the time is recorded; sums count what is there.",
        "de": "Aufgezeichnet sind nur {share} der Zeit; die Summen zählen, was da ist.",
    },
    "partly_estimated": {
        "en": "{share} of the time was silent: its sum is the meter's, its course is estimated.",
        "de": "{share} der Zeit blieben stumm: Die Summe ist die des Zählers, der Verlauf ist geschätzt.",
    },
    "so_far": {"en": "That is up to {until}.", "de": "Das gilt bis {until}."},
    "nothing_recorded": {"en": "{period} nothing of this is recorded.", "de": "{period} ist davon nichts aufgezeichnet."},
    "nothing_to_compare": {
        "en": "There is nothing to compare: of one period nothing is recorded ({one}; {other}).",
        "de": "Es gibt nichts zu vergleichen: Aus einem der Zeiträume ist nichts aufgezeichnet ({one}; {other}).",
    },
    "bill": {
        "en": "Import cost {import_cost}, feed-in earned {export_earning}: {total} in all.",
        "de": "Der Bezug kostete {import_cost}, die Einspeisung brachte {export_earning}: zusammen {total}.",
    },
    "bill_partly": {"en": "Meter and prices are known for {share} of the time.", "de": "Zähler und Preise sind für {share} der Zeit bekannt."},
    "bill_without_peaks": {"en": "The month's capacity charge is not counted.", "de": "Der Leistungspreis des Monats zählt nicht mit."},
    "cost_unknown": {"en": "What it cost is not known.", "de": "Was das gekostet hat, ist nicht bekannt."},
    "load_more": {"en": "Consumption is {difference} higher in the first.", "de": "Der Verbrauch ist im ersten Zeitraum {difference} höher."},
    "load_less": {"en": "Consumption is {difference} lower in the first.", "de": "Der Verbrauch ist im ersten Zeitraum {difference} niedriger."},
    "cost_more": {"en": "The first cost {difference} more.", "de": "Der erste kostete {difference} mehr."},
    "cost_less": {"en": "The first cost {difference} less.", "de": "Der erste kostete {difference} weniger."},
}
SITE: _Phrases = {
    "site": {
        "en": "Site {site}, in the time zone {zone}; there it is now {now}; today is {today}.",
        "de": "Standort {site} in der Zeitzone {zone}; dort ist es jetzt {now}; heute ist der {today}.",
    },
    "device": {"en": "{kind} {name}: {power}.", "de": "{kind} {name}: {power}."},
    "device_storing": {"en": "{kind} {name}: {capacity}, {power}.", "de": "{kind} {name}: {capacity}, {power}."},
    **{f"device_{name}": words.kind for name, words in DEVICE_WORDS.items() if words.kind},
    "no_devices": {"en": "No devices are described.", "de": "Geräte sind keine beschrieben."},
    "tariff": {"en": "Tariff: {buying}, {selling}.", "de": "Tarif: {buying}, {selling}."},
    "tariff_peaks": {"en": "Components of a capacity tariff: {count}.", "de": "Bestandteile eines Leistungstarifs: {count}."},
    "session": {"en": "{device} is at its charger from {begin} to {end}.", "de": "{device} steht von {begin} bis {end} am Lader."},
    "session_target": {
        "en": "{device} is at its charger from {begin} to {end} and is to leave with {target}.",
        "de": "{device} steht von {begin} bis {end} am Lader und soll mit {target} losfahren.",
    },
    "session_no_charge": {"en": "The plan charges nothing in this stay.", "de": "Der Plan lädt in diesem Aufenthalt nichts."},
    "best_time": {
        "en": "Best begin at {begin}: until {end} a kWh costs {price} on average, at once it would cost {now}.",
        "de": "Am besten ab {begin}: Bis {end} kostet eine kWh im Mittel {price}, sofort wären es {now}.",
    },
    "best_time_now": {
        "en": "Best begin at once: until {end} a kWh costs {price} on average, later no less.",
        "de": "Am besten sofort: Bis {end} kostet eine kWh im Mittel {price}, später nicht weniger.",
    },
    "battery_since": {
        "en": "The battery has been {doing} since {begin}, as measured up to {end}.",
        "de": "Die Batterie {doing} seit {begin}, gemessen bis {end}.",
    },
    "battery_since_at_least": {
        "en": "The battery has been {doing} at least since {begin}, as measured up to {end}; what it did before is not recorded.",
        "de": "Die Batterie {doing} mindestens seit {begin}, gemessen bis {end}; was sie davor tat, ist nicht aufgezeichnet.",
    },
    "battery_charges": {"en": "charging", "de": "lädt"},
    "battery_discharges": {"en": "discharging", "de": "entlädt"},
    "battery_rests": {"en": "resting", "de": "ruht"},
    "battery_told_since": {
        "en": "Nothing was measured of the battery lately. Luna has told it the same since {begin}: {mode}.",
        "de": "Von der Batterie wurde zuletzt nichts gemessen. Luna sagt ihr seit {begin} dasselbe: {mode}.",
    },
    "battery_not_measured": {
        "en": "Nothing was measured of the battery lately, and Luna told it nothing.",
        "de": "Von der Batterie wurde zuletzt nichts gemessen, und Luna hat ihr nichts gesagt.",
    },
    "no_sessions": {"en": "No stay at a charger is known.", "de": "Es ist kein Aufenthalt an einem Lader bekannt."},
}
CHARTS: _Phrases = {
    "chart_prices": {"en": "Prices", "de": "Preise"},
    "chart_energies": {"en": "Energy", "de": "Energie"},
    "chart_comparison": {"en": "Two periods", "de": "Zwei Zeiträume"},
    "chart_forecast": {"en": "Forecast", "de": "Prognose"},
    "chart_plan": {"en": "Plan", "de": "Plan"},
    "chart_savings": {"en": "Cost per day", "de": "Kosten je Tag"},
    "chart_variant": {"en": "Cost of the plan", "de": "Kosten des Plans"},
}
PHRASES: _Phrases = PERIODS | PRICES | ENERGIES | SITE | CHARTS | PLAN_PHRASES | HOUSE


def answer_phrase(code: str, language: Language) -> str:
    """Return a phrase in a language, with names in braces where figures go."""
    return PHRASES[code][language]
