### Batterien.

kind_battery = Batterie
prefix_battery = Batterie
limited_battery =
    { $count ->
        [one] deine Batterie
       *[other] deine Batterien
    }
name_batteries = Batterie
name_battery = Batterie
role_total_battery_charge = In die Batterie geladen
role_total_battery_discharge = Aus der Batterie entladen
role_battery_soc = Ladestand der Batterie
setup_batteries = Batterie
setup_none_batteries = Keine Batterie: Luna plant trotzdem Auto und Warmwasser.
setup_add_batteries = Batterie hinzufügen
setup_review_battery = { $capacity } kWh, { $power } kW
entity_planned_mode_battery = Geplanter Modus von { $device }
entity_next_action_battery = Nächste Änderung von { $device }
entity_next_action_at_battery = Zeit der nächsten Änderung von { $device }
entity_plan_power_battery = Geplante Leistung von { $device }
entity_plan_soc_battery = Geplanter Ladestand von { $device }
entity_actual_mode_battery = Aktueller Modus von { $device }
