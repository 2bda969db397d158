### What the page What if says.

title = Wat als
headline = Wat als dit huis anders was?
lead = Vastgelegde dagen worden opnieuw doorlopen, met het huis zoals het is en zoals het zou zijn: hetzelfde weer, dezelfde prijzen, dezelfde gewoonten.
ask_title = Stel een vraag
from = Van
to = Tot en met
battery = Batterij
battery_1 = zoals nu
battery_0 = geen
battery_0-5 = half zo groot
battery_1-5 = anderhalf keer zo groot
battery_2 = twee keer zo groot
battery_new = Een batterij van { $capacity }
battery_note = zelfde omvormer
pv = Zonnepanelen
pv_1 = zoals nu
pv_0 = geen
pv_1-5 = anderhalf keer zoveel
pv_2 = twee keer zoveel
fixed_price = Vaste prijs, { $currency } per kWh
investment = Kost eenmalig, { $currency }
left_empty = leeg: zoals nu
expert = Eigen wijziging als JSON
expert_note = De velden van het locatiebestand die veranderen, zoals { $example }
ask = De dagen opnieuw doorlopen
ask_plan = Alleen de komende uren plannen
name_battery = Batterij × { $factor }
name_no_battery = Zonder batterij
name_pv = Zonnepanelen × { $factor }
name_no_pv = Zonder zonnepanelen
name_price = Vaste prijs van { $price }
name_expert = Eigen wijziging
nothing_changed = Verander eerst iets: zo blijft alles zoals het is.
no_json = is geen JSON-object: { $said }
no_number = is geen getal
plan_title = De komende uren
plan_cost = { $before } zoals nu, { $after } dan
plan_unknown = Dit is niet te zeggen:
no_plan = Er is nog geen plan.
asked_title = Laatst gevraagd
asked_none = Er is nog niets gevraagd.
asked_days = { $first } tot en met { $last }
data_none = Er is nog niets vastgelegd: er zijn geen dagen om opnieuw te doorlopen.
result_title = Wat eruit kwam
result_headline = { $name } zou { $saved } hebben bespaard.
result_worse = { $name } zou { $lost } meer hebben gekost.
open =
    { $total ->
        [one] { $done } van { $total } variant doorlopen.
       *[other] { $done } van { $total } varianten doorlopen.
    }
failed = Dit is niet gelukt:
look = Opnieuw kijken
back = Iets anders vragen
progress = Voortgang
counted = Op deze dagen betaalde je { $cost } voor energie, kocht je { $bought } en verkocht je { $sold }.
counted_partly = Dat is bekend voor { $share } van de tijd.
counted_unknown = Wat je op deze dagen betaalde, is niet bekend: prijzen of meterwaarden ontbreken.
not_recorded = een niet vastgelegde hoeveelheid
differences = De cijfers hieronder zijn verschillen met je huis zoals het is, met dezelfde sturing.
as_recorded = Vergeleken worden huis en batterij; { $devices } blijven zoals vastgelegd.
column_variant = Huis
column_saved = Bespaard
column_year = Bespaard per jaar
column_payback = Terugverdiend in
column_import = Meer gekocht
column_export = Meer verkocht
years = { $years } jaar
between = { $low } tot { $high }
few_days = Minder dan vier weken zeggen niets over jaren.
policy =
    { $days ->
        [one] { $policy }, { $days } dag, met voorspellingen { $outlook }
       *[other] { $policy }, { $days } dagen, met voorspellingen { $outlook }
    }
outlook_issued = zoals toen gemaakt
outlook_usual = van wat gebruikelijk is
