### Grenzen die een plan niet haalt, en wat er ontbreekt. Velden van verzoeken en van het huis houden hun naam.
### Een getal dat eindigt op _1 heeft één decimaal; een op _percent is een aandeel.

wanted_end_at_least = batterij { $name }: minstens { $wanted_percent_1 } aan het eind
missing_end_at_least = { $kwh_3 } kWh te weinig
wanted_end_at_most = batterij { $name }: hoogstens { $wanted_percent_1 } aan het eind
missing_end_at_most = { $kwh_3 } kWh te veel
wanted_import_limit = netafname: hoogstens { $limit_kw } kW, het hoogst op { $worst }
missing_import_limit = { $kw_2 } kW te veel
wanted_import_limit_often = netafname: hoogstens { $limit_kw } kW, overschreden in { $count } kwartieren vanaf { $first }, het hoogst op { $worst }
missing_import_limit_often = { $kw_2 } kW te veel
wanted_export_limit = teruglevering: hoogstens { $limit_kw } kW, het hoogst op { $worst }
missing_export_limit = { $kw_2 } kW te veel
wanted_export_limit_often = teruglevering: hoogstens { $limit_kw } kW, overschreden in { $count } kwartieren vanaf { $first }, het hoogst op { $worst }
missing_export_limit_often = { $kw_2 } kW te veel
wanted_reserve = reserve: batterij { $name }, het laagst op { $worst }
missing_reserve = { $missing_percent_1 } te weinig
wanted_manual = eigen instelling: { $name }, { $action }, { $first } tot { $last }
missing_manual = { $kwh_3 } kWh verschil
wanted_manual_full = eigen instelling: { $name }, { $action } (de batterij is vol), { $first } tot { $last }
missing_manual_full = { $kwh_3 } kWh te weinig
wanted_manual_empty = eigen instelling: { $name }, { $action } (de batterij is leeg), { $first } tot { $last }
missing_manual_empty = { $kwh_3 } kWh te weinig
wanted_carbon_unknown = CO₂-prijs { $price } per kg: de CO₂-cijfers van de netstroom ontbreken (outlook.carbon_g_per_kwh)
missing_carbon_unknown = niet meegeteld

# Delen die in deze zinnen kunnen staan.
part_only = , alleen { $rules }
part_allowed = in de toegestane uren
part_price_limit = onder { $price } per kWh of op zonoverschot
part_surplus_only = op zonoverschot
part_outside = ; aan het begin { $celsius_degrees }

# Wat je zelf hebt ingesteld.
action_charge = laden
action_discharge = ontladen
action_hold = pauze
action_no_charge = niet laden
action_no_discharge = niet ontladen
action_on = aan
action_off = uit
action_no_import = geen netafname
action_no_export = geen teruglevering
