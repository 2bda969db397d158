### What is said of batteries.

kind_battery = Batterij
prefix_battery = batterij
name_batteries = Batterij
name_battery = Batterij
role_total_battery_charge = Batterij geladen
role_total_battery_discharge = Batterij ontladen
role_battery_soc = Laadniveau van de batterij
setup_batteries = Thuisbatterij
setup_none_batteries = Geen batterij: Luna plant dan toch de auto en de boiler.
setup_add_batteries = Batterij toevoegen
setup_review_battery = { $capacity } kWh, { $power } kW
entity_planned_mode_battery = Geplande modus van { $device }
entity_next_action_battery = Volgende actie van { $device }
entity_next_action_at_battery = Volgende actie van { $device } om
entity_plan_power_battery = Gepland vermogen van { $device }
entity_plan_soc_battery = Gepland laadniveau van { $device }
entity_actual_mode_battery = Werkelijke modus van { $device }
