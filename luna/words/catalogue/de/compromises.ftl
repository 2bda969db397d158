### Vorgaben, die ein Plan nicht einhält, und was fehlt. Felder von Anfragen und der Anlage behalten ihren Namen.
### Eine Zahl, die auf _1 endet, hat eine Nachkommastelle; eine auf _percent ist ein Anteil.

wanted_end_at_least = Batterie { $name }: mindestens { $wanted_percent_1 } am Ende
missing_end_at_least = { $kwh_3 } kWh fehlen
wanted_end_at_most = Batterie { $name }: höchstens { $wanted_percent_1 } am Ende
missing_end_at_most = { $kwh_3 } kWh zu viel
wanted_import_limit = Netzbezug: höchstens { $limit_kw } kW, am höchsten { $worst }
missing_import_limit = { $kw_2 } kW zu viel
wanted_import_limit_often = Netzbezug: höchstens { $limit_kw } kW, überschritten in { $count } Viertelstunden ab { $first }, am höchsten { $worst }
missing_import_limit_often = { $kw_2 } kW zu viel
wanted_export_limit = Einspeisung: höchstens { $limit_kw } kW, am höchsten { $worst }
missing_export_limit = { $kw_2 } kW zu viel
wanted_export_limit_often = Einspeisung: höchstens { $limit_kw } kW, überschritten in { $count } Viertelstunden ab { $first }, am höchsten { $worst }
missing_export_limit_often = { $kw_2 } kW zu viel
wanted_reserve = Reserve: Batterie { $name }, am tiefsten { $worst }
missing_reserve = { $missing_percent_1 } fehlen
wanted_manual = eigene Vorgabe: { $name }, { $action }, { $first } bis { $last }
missing_manual = { $kwh_3 } kWh Abweichung
wanted_manual_full = eigene Vorgabe: { $name }, { $action } (die Batterie ist voll), { $first } bis { $last }
missing_manual_full = { $kwh_3 } kWh fehlen
wanted_manual_empty = eigene Vorgabe: { $name }, { $action } (die Batterie ist leer), { $first } bis { $last }
missing_manual_empty = { $kwh_3 } kWh fehlen
wanted_carbon_unknown = CO₂-Preis { $price } je kg: Die CO₂-Werte des Netzstroms fehlen (outlook.carbon_g_per_kwh)
missing_carbon_unknown = nicht berücksichtigt

# Teile, die in diesen Sätzen stehen können.
part_only = , nur { $rules }
part_allowed = in seinen erlaubten Zeiten
part_price_limit = unter { $price } je kWh oder mit Solarüberschuss
part_surplus_only = mit Solarüberschuss
part_outside = ; zu Beginn { $celsius_degrees }

# Was du selbst vorgegeben hast.
action_charge = laden
action_discharge = entladen
action_hold = Pause
action_no_charge = nicht laden
action_no_discharge = nicht entladen
action_on = an
action_off = aus
action_no_import = kein Netzbezug
action_no_export = keine Einspeisung
