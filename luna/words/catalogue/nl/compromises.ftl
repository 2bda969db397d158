### What a plan could not hold: what was wanted, and what is missing of it. Fields of requests and of the site stay as they are written there.
### A figure that ends in _1 has one decimal, one that ends in _percent is written as a share.

wanted_end_at_least = batterij { $name }: minstens { $wanted_percent_1 } aan het eind
missing_end_at_least = { $kwh_3 } kWh
wanted_end_at_most = batterij { $name }: hoogstens { $wanted_percent_1 } aan het eind
missing_end_at_most = { $kwh_3 } kWh
wanted_import_limit = grens van { $limit_kw } kW voor afname, overschreden op { $worst }
missing_import_limit = { $kw_2 } kW
wanted_import_limit_often = grens van { $limit_kw } kW voor afname, overschreden in { $count } kwartieren vanaf { $first }, het meest op { $worst }
missing_import_limit_often = { $kw_2 } kW
wanted_export_limit = grens van { $limit_kw } kW voor teruglevering, overschreden op { $worst }
missing_export_limit = { $kw_2 } kW
wanted_export_limit_often = grens van { $limit_kw } kW voor teruglevering, overschreden in { $count } kwartieren vanaf { $first }, het meest op { $worst }
missing_export_limit_often = { $kw_2 } kW
wanted_reserve = reserve: batterij { $name } haalt die niet, het minst op { $worst }
missing_reserve = { $missing_percent_1 }
wanted_manual = vastgezet: { $name } { $action } { $first } tot { $last }
missing_manual = { $kwh_3 } kWh
wanted_manual_full = vastgezet: { $name } { $action } (de batterij is vol) { $first } tot { $last }
missing_manual_full = { $kwh_3 } kWh
wanted_manual_empty = vastgezet: { $name } { $action } (de batterij is leeg) { $first } tot { $last }
missing_manual_empty = { $kwh_3 } kWh
wanted_carbon_unknown = doel: carbon_price_per_kg { $price }, de stroommix van het net is onbekend (outlook.carbon_g_per_kwh)
missing_carbon_unknown = niet meegewogen

# What stands within such a sentence where it holds.
part_only = , alleen { $rules }
part_allowed = op de toegestane tijden
part_price_limit = onder { $price } per kWh of op zonneoverschot
part_surplus_only = op zonneoverschot
part_outside = ; het begint bij { $celsius } °C

# What an owner set.
action_charge = laden
action_discharge = ontladen
action_hold = vasthouden
action_no_charge = niet laden
action_no_discharge = niet ontladen
action_on = aan
action_off = uit
action_no_import = niets afnemen
action_no_export = niets terugleveren
