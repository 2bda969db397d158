### Why a forecast differs from the usual, and a plan from the one before.

# Reasons: what they speak of lies above the last seven days, below, or neither.
reason_calendar_above = het is een feestdag
reason_calendar_below = het is { $day }
reason_calendar_neither = het is { $day }
reason_vacation_above = de vakantiestand staat aan
reason_vacation_below = de vakantiestand staat uit
reason_vacation_neither = de vakantiestand
reason_temperature_above = { $degrees } warmer dan de laatste zeven dagen
reason_temperature_below = { $degrees } kouder dan de laatste zeven dagen
reason_temperature_neither = de temperatuur
reason_wind = de wind
reason_sky_above = meer zon dan de laatste zeven dagen
reason_sky_below = minder zon dan de laatste zeven dagen
reason_sky_neither = zon en wolken
reason_hours_load_above = de laatste uren meer verbruikt dan gewoonlijk
reason_hours_load_below = de laatste uren minder verbruikt dan gewoonlijk
reason_hours_load_neither = de laatste uren
reason_hours_pv_above = de laatste uren meer zonnestroom dan gewoonlijk
reason_hours_pv_below = de laatste uren minder zonnestroom dan gewoonlijk
reason_hours_pv_neither = de laatste uren
reason_days_load_above = de laatste dag meer verbruikt dan gewoonlijk
reason_days_load_below = de laatste dag minder verbruikt dan gewoonlijk
reason_days_load_neither = de laatste dagen
reason_days_pv_above = de laatste dag meer zonnestroom dan gewoonlijk
reason_days_pv_below = de laatste dag minder zonnestroom dan gewoonlijk
reason_days_pv_neither = de laatste dagen
reason_habit = wat de laatste weken rond deze tijd gebruikelijk was
reason_limit_load = nooit minder dan niets
reason_limit_pv = nooit minder dan niets, nooit meer dan de zonnepanelen kunnen leveren
reason_later = wat pas daarna is gemeten of geleerd
reason_model = wat een model wist dat niet meer leesbaar is
reason_rest = al het andere

# What is expected of a slot, and what would be usual.
slot_above = { $expected } verwacht, { $difference } meer dan gewoonlijk: de laatste zeven dagen was het rond deze tijd gemiddeld { $usual }.
slot_below = { $expected } verwacht, { $difference } minder dan gewoonlijk: de laatste zeven dagen was het rond deze tijd gemiddeld { $usual }.
slot_neither = { $expected } verwacht, zoals de laatste zeven dagen rond deze tijd.

# Causes: their figure is higher than before, lower, or says nothing.
cause_site = De beschrijving van de locatie is een andere.
cause_options = Er is met andere opties gepland.
cause_strategy = Rond de locatie is iets anders dan voorheen: vakantie, waarschuwingen, reserves.
cause_prices_higher = Kopen kost gemiddeld { $price } per kWh meer dan bekend was.
cause_prices_lower = Kopen kost gemiddeld { $price } per kWh minder dan bekend was.
cause_prices_neither = De prijzen zijn anders over de kwartieren verdeeld dan bekend was.
cause_load_higher = Het huis verbruikt naar verwachting { $kwh } meer.
cause_load_lower = Het huis verbruikt naar verwachting { $kwh } minder.
cause_load_neither = Het huis verbruikt naar verwachting evenveel, maar op andere tijden.
cause_pv_higher = De zon levert naar verwachting { $kwh } meer.
cause_pv_lower = De zon levert naar verwachting { $kwh } minder.
cause_pv_neither = De zon levert naar verwachting evenveel, maar op andere tijden.
cause_scenarios = Wat verbruik en zon buiten de verwachting kunnen doen, wordt anders ingeschat.
cause_soc_higher = In de batterij zit { $kwh } meer dan gepland.
cause_soc_lower = In de batterij zit { $kwh } minder dan gepland.
cause_soc_neither = De batterijen zijn anders gevuld dan gepland.
cause_peaks = De piek van de maand is tot nu toe een andere.
cause_manual = Wat jij hebt vastgezet, is anders.
cause_horizon = Er is tijd verstreken: het plan kijkt verder vooruit.

# What a cause did.
effect_modes =
    { $modes ->
        [0] Er verandert geen modus
        [one] Er verandert één modus
       *[other] Er veranderen { $count } modi
    }
effect_dearer = ; het plan kost { $money } meer.
effect_cheaper = ; het plan kost { $money } minder.
