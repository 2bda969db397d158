### Wat een kWh kost en oplevert, per soort tarief.

buying_fixed = kopen tegen { $price }
buying_time_of_use = stroomprijs naar tijdstip
buying_spot = uurprijzen van { $market } + { $markup }
buying_series = kopen tegen prijzen die je aanlevert
buying_components = stroomprijs uit meerdere delen
buying_blocks = prijzen per staffel vanaf { $price }
selling_components = terugleverprijs uit meerdere delen
selling_fixed = verkopen tegen { $price }
selling_time_of_use = terugleververgoeding naar tijdstip
selling_spot = verkopen tegen de uurprijs
selling_series = verkopen tegen prijzen die je aanlevert

### De delen van zo'n prijs, elk op een regel: na de naam van het deel.

part_fixed = { $price }, de hele dag
part_window = { $price } van { $begin } tot { $end }
part_else = anders { $price }
part_spot = marktprijs { $market }
part_spot_factor = marktprijs { $market } × { $factor }
part_billed_30 = afgerekend per half uur
part_billed_60 = afgerekend per uur
part_series = prijzen die je aanlevert
part_block = { $price } tot { $kwh } per maand
part_allowance = { $price } voor { $kwh } per dag van { $begin } tot { $end }
part_beyond = daarna { $price }
part_plant = { $price } voor zonnepanelen van { $kw }
part_vat = plus { $vat } btw
part_from = vanaf { $day }
part_until = tot en met { $day }
part_zero_below = niets zolang de marktprijs { $market } onder nul ligt
part_device = { $devices } betalen { $difference } van { $begin } tot { $end }
part_device_always = { $devices } betalen { $difference }
part_device_vehicles = auto’s
part_device_heat_pumps = warmtepompen
part_device_less = { $price } minder dan het huis
part_device_more = { $price } meer dan het huis
part_device_same = evenveel als het huis
part_device_limit = voor { $limit } per dag
part_device_anew = elke dag opnieuw vanaf { $clock } uur
part_base_month = { $amount } per maand
part_base_day = { $amount } per dag
