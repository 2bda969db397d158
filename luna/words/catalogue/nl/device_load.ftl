### What is said of appliances that may wait.

kind_load = Apparaat
prefix_load = apparaat
name_water_heater = Boiler
waiting_water_heater = Boiler
series_appliance_kwh = Apparaten
series_water_heater_kwh = Boiler
role_water_heater_consumption = Boiler
setup_loads = Boiler
setup_none_loads = Geen elektrische boiler.
setup_add_loads = Boiler toevoegen
setup_hint_loads = Luna plant hem zodra zijn verbruik een eigen meter heeft.
entity_load_start = { $device } start om
entity_override_load = Afwijken: { $device }

# Why a plan is another one where its devices did something else than planned.
cause_loads = Een apparaat heeft anders gedraaid dan gepland.

# What a plan could not hold: what was wanted, and what is missing of it.
wanted_load_day = apparaat { $name }: { $wanted_2 } kWh op { $by }{ $only }
missing_load_day = { $kwh_3 } kWh
wanted_load_by = apparaat { $name }: { $wanted_2 } kWh vóór { $by }{ $only }
missing_load_by = { $kwh_3 } kWh
wanted_load_gap = apparaat { $name }: hoogstens { $hours } uur uit (max_gap_hours)
missing_load_gap =
    { $count ->
        [one] één keer
       *[other] { $count } keer
    }
wanted_load_run = apparaat { $name }: één beurt vóór { $by }{ $only }
missing_load_run = niet gedraaid

# What a plan rests on.
note_loads_not_placed = Wanneer { $loads } draaien, is niet gepland: zonder eigen meter horen ze bij het voorspelde verbruik.

# Why a device runs or waits.
reason_load_cheapest_1 = Draait in de goedkoopste { $count } van { $total } kwartieren tot { $time }: { $kwh } tegen gemiddeld { $price }.
reason_load_cheapest_2 = Draait in het goedkoopste van { $total } kwartieren tot { $time }: { $kwh } tegen { $price }.
short_load_cheapest_1 = Goedkoopste { $count } van { $total } kwartieren tot { $time }
short_load_cheapest_2 = Goedkoopste van { $total } kwartieren tot { $time }
short_load_cheapest_3 = Draait als het het goedkoopst is
reason_load_throughout_1 = Draait tot { $time } in elk kwartier waarin het mag, ook tegen { $dearest }: { $kwh } tegen gemiddeld { $price }.
reason_load_throughout_2 = Draait tot { $time } in elk kwartier waarin het mag: { $kwh } tegen { $price }.
reason_load_throughout_3 = Draait tot { $time } in elk kwartier waarin het mag: { $kwh }.
short_load_throughout_1 = Draait de hele tijd tot { $time }
short_load_throughout_2 = Draait de hele tijd
reason_load_surplus_1 = Draait op zonneoverschot dat bij verkoop { $sell } zou opleveren.
reason_load_surplus_2 = Draait op zonneoverschot waarvan terugleveren { $fee } zou kosten.
reason_load_surplus_3 = Draait op zonneoverschot; nog eens { $held } wordt afgeregeld.
reason_load_surplus_4 = Draait op zonneoverschot dat niet mag worden teruggeleverd.
short_load_surplus_1 = Zonneoverschot; verkocht { $sell }
short_load_surplus_2 = Zonneoverschot
reason_load_gap_1 = Draait nu, want het mag hoogstens { $hours } uit zijn.
short_load_gap_1 = Draait: hoogstens { $hours } uit
short_load_gap_2 = Draait: het mag niet langer uit zijn
reason_load_among_1 = Draait tegen { $buy }: andere kwartieren tot { $time } besparen bijna niets, of zijn uiteindelijk duurder.
reason_load_among_2 = Draait nu: andere kwartieren tot { $time } besparen bijna niets, of zijn uiteindelijk duurder.
short_load_among_1 = Draait tegen { $buy }; elders niet beter
short_load_among_2 = Draait; elders niet beter
reason_load_waits_1 = Wacht: een kWh kost nu { $buy }, vanaf { $time } maar { $price }.
short_load_waits_1 = Wacht op { $time }: { $price } in plaats van { $buy }
short_load_waits_2 = Wacht op een lagere prijs
reason_load_waits_peak_1 = Wacht: nu draaien zou de piek met { $kw } verhogen, en dat kost { $cost } per maand.
short_load_waits_peak_1 = Wacht: { $kw } meer piek kost { $cost } per maand
short_load_waits_peak_2 = Wacht: de piek zou stijgen
reason_load_later_1 = Draait vanaf { $time }: nu draaien is duurder, of bespaart bijna niets.
short_load_later_1 = Draait vanaf { $time }
short_load_later_2 = Draait later
reason_load_programme_1 = Het programma draait tegen gemiddeld { $price }; het moet vóór { $time } klaar zijn.
reason_load_programme_2 = Het programma draait; het moet vóór { $time } klaar zijn.
reason_load_programme_3 = Het programma draait tot het eind.
short_load_programme_1 = Programma draait, klaar vóór { $time }
short_load_programme_2 = Programma draait
reason_load_not_now_1 = Mag op deze tijd niet draaien.
short_load_not_now_1 = Mag nu niet draaien
reason_load_done_1 = Heeft tot { $time } wat het nodig heeft.
short_load_done_1 = Heeft tot { $time } wat het nodig heeft
short_load_done_2 = Heeft wat het nodig heeft
reason_load_short_1 = Staat uit, terwijl er tot { $time } nog { $kwh } ontbreekt.
short_load_short_1 = Uit, terwijl er { $kwh } ontbreekt
short_load_short_2 = Uit, terwijl er iets ontbreekt
