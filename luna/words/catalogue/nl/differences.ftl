### Waarom een voorspelling afwijkt van het gebruikelijke en een plan van het vorige.

# Redenen: boven of onder de laatste zeven dagen, of geen van beide.
reason_calendar_above = het is een feestdag
reason_calendar_below = het is { $day }
reason_calendar_neither = het is { $day }
reason_vacation_above = de vakantiestand staat aan
reason_vacation_below = de vakantiestand staat uit
reason_vacation_neither = vakantie
reason_temperature_above = { $degrees } warmer dan in de laatste zeven dagen
reason_temperature_below = { $degrees } kouder dan in de laatste zeven dagen
reason_temperature_neither = temperatuur
reason_wind = wind
reason_sky_above = meer zon dan in de laatste zeven dagen
reason_sky_below = minder zon dan in de laatste zeven dagen
reason_sky_neither = zon en wolken
reason_hours_load_above = meer verbruik dan normaal in de laatste uren
reason_hours_load_below = minder verbruik dan normaal in de laatste uren
reason_hours_load_neither = verbruik in de laatste uren
reason_hours_pv_above = meer zonnestroom dan normaal in de laatste uren
reason_hours_pv_below = minder zonnestroom dan normaal in de laatste uren
reason_hours_pv_neither = zonnestroom in de laatste uren
reason_days_load_above = meer verbruik dan normaal op de laatste dag
reason_days_load_below = minder verbruik dan normaal op de laatste dag
reason_days_load_neither = verbruik op de laatste dagen
reason_days_pv_above = meer zonnestroom dan normaal op de laatste dag
reason_days_pv_below = minder zonnestroom dan normaal op de laatste dag
reason_days_pv_neither = zonnestroom op de laatste dagen
reason_habit = normaal voor deze tijd in de laatste weken
reason_limit_load = verbruik is nooit negatief
reason_limit_pv = begrensd tot wat de panelen kunnen leveren
reason_later = later gemeten waarden
reason_model = een eerdere voorspelling zonder details
reason_rest = al het andere

# Wat in een kwartier wordt verwacht en wat normaal is.
slot_above = { $expected } verwacht, { $difference } meer dan normaal. De laatste zeven dagen was het op deze tijd gemiddeld { $usual }.
slot_below = { $expected } verwacht, { $difference } minder dan normaal. De laatste zeven dagen was het op deze tijd gemiddeld { $usual }.
slot_neither = { $expected } verwacht, net als de laatste zeven dagen op deze tijd.

# Oorzaken van een gewijzigd plan: hoger of lager dan eerst, of geen van beide.
cause_site = De instellingen van je huis zijn gewijzigd.
cause_options = De planningsopties zijn gewijzigd.
cause_strategy = Vakantie, een waarschuwing of een reserve is gewijzigd.
cause_prices_higher = Kopen kost gemiddeld { $price } per kWh meer dan verwacht.
cause_prices_lower = Kopen kost gemiddeld { $price } per kWh minder dan verwacht.
cause_prices_neither = De prijzen zijn over de dag verschoven, met hetzelfde gemiddelde.
cause_load_higher = Het huis verbruikt naar verwachting { $kwh } meer.
cause_load_lower = Het huis verbruikt naar verwachting { $kwh } minder.
cause_load_neither = Het huis verbruikt naar verwachting evenveel, op andere tijden.
cause_pv_higher = Zonnestroom levert naar verwachting { $kwh } meer op.
cause_pv_lower = Zonnestroom levert naar verwachting { $kwh } minder op.
cause_pv_neither = Zonnestroom levert naar verwachting evenveel op, op andere tijden.
cause_scenarios = De bandbreedte van de voorspelling is gewijzigd.
cause_soc_higher = De batterij bevat { $kwh } meer dan gepland.
cause_soc_lower = De batterij bevat { $kwh } minder dan gepland.
cause_soc_neither = De batterijen zijn anders gevuld dan gepland.
cause_peaks = De maandpiek is gewijzigd.
cause_manual = Je eigen instellingen zijn gewijzigd.
cause_horizon = Er is tijd verstreken: het plan kijkt verder vooruit.

# Wat een oorzaak aan het plan heeft veranderd.
effect_modes =
    { $modes ->
        [0] Plan ongewijzigd
        [one] Plan gewijzigd: één kwartier
       *[other] Plan gewijzigd: { $count } kwartieren
    }
effect_sooner = Plan gewijzigd: { $device } { $does } { $duration } eerder
effect_later = Plan gewijzigd: { $device } { $does } { $duration } later
effect_dearer = ; het kost { $money } meer.
effect_cheaper = ; het kost { $money } minder.

# Wat een apparaat eerder of later doet.
does_charge = laadt
does_export = verkoopt
does_supply = voedt het huis
does_on = draait
