### Batterijen.

kind_battery = Batterij
prefix_battery = batterij
limited_battery =
    { $count ->
        [one] je batterij
       *[other] je batterijen
    }
name_batteries = Batterij
name_battery = Batterij
role_total_battery_charge = In de batterij geladen
role_total_battery_discharge = Uit de batterij ontladen
role_battery_soc = Batterijniveau
setup_batteries = Batterij
setup_none_batteries = Geen batterij: Luna plant dan toch de auto en de boiler.
setup_add_batteries = Batterij toevoegen
setup_review_battery = { $capacity } kWh, { $power } kW
entity_planned_mode_battery = Geplande modus van { $device }
entity_next_action_battery = Volgende wijziging van { $device }
entity_next_action_at_battery = Tijd van de volgende wijziging van { $device }
entity_plan_power_battery = Gepland vermogen van { $device }
entity_plan_soc_battery = Gepland batterijniveau van { $device }
entity_actual_mode_battery = Huidige modus van { $device }
