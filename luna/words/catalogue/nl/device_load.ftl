### Apparaten die kunnen wachten.

kind_load = Apparaat
prefix_load = apparaat
limited_load =
    { $count ->
        [one] je apparaat
       *[other] je apparaten
    }
name_water_heater = Boiler
waiting_water_heater = Boiler
series_appliance_kwh = Apparaten
series_water_heater_kwh = Boiler
role_water_heater_consumption = Boiler
setup_loads = Boiler
setup_none_loads = Geen elektrische boiler.
setup_add_loads = Boiler toevoegen
setup_hint_loads = Luna plant hem zodra hij een eigen meter heeft.
entity_load_start = Volgende start van { $device }
entity_override_load = Eigen instelling voor { $device }
entity_steering_load = { $device } nu

# Waarom een plan is veranderd.
cause_loads = Een apparaat draaide anders.

# Grenzen die een plan niet haalt, en wat er ontbreekt.
wanted_load_day = apparaat { $name }: { $wanted_2 } kWh op { $by }{ $only }
missing_load_day = { $kwh_3 } kWh te weinig
wanted_load_by = apparaat { $name }: { $wanted_2 } kWh vóór { $by }{ $only }
missing_load_by = { $kwh_3 } kWh te weinig
wanted_load_gap = apparaat { $name }: hoogstens { $hours } uur uit (max_gap_hours)
missing_load_gap =
    { $count ->
        [one] één keer te lang
       *[other] { $count } keer te lang
    }
wanted_load_run = apparaat { $name }: één beurt vóór { $by }{ $only }
missing_load_run = draait niet

# Waar een plan van uitgaat.
note_loads_not_placed = Luna plant { $loads } niet: zonder eigen meter horen ze bij het verbruik van het huis.

# Waarom een apparaat draait of wacht; de meeste redenen staan in device_reasons.
reason_load_gap_1 = Draait nu: het mag hoogstens { $hours } uit zijn.
short_load_gap_1 = Draait: hoogstens { $hours } uit
short_load_gap_2 = Draait: was lang genoeg uit
reason_load_programme_1 = Het programma draait tegen gemiddeld { $price }, klaar vóór { $time }.
reason_load_programme_2 = Het programma draait, klaar vóór { $time }.
reason_load_programme_3 = Het programma draait tot het eind.
short_load_programme_1 = Programma draait, klaar vóór { $time }
short_load_programme_2 = Programma draait
reason_load_not_now_1 = Je instellingen staan gebruik op deze tijd niet toe.
short_load_not_now_1 = Op deze tijd niet toegestaan
