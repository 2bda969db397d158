### Waarom een kWh op een tijdstip kost wat hij kost. De eerste twee zinnen zijn het antwoord, de rest is toelichting.

buys = Om { $at } kost een kWh { $price }.
buys_on_day = Op { $day } om { $at } kost een kWh { $price }.
earns = Om { $at } levert een kWh je { $price } op.
earns_on_day = Op { $day } om { $at } levert een kWh je { $price } op.
main = De belangrijkste reden is { $name }: { $text }.
constant = De prijs is de hele dag hetzelfde.
average = Dat is het gemiddelde van de dag.
rank = { $rank }; het gemiddelde van de dag is { $mean }.
day_mean = Het gemiddelde van de dag is { $mean }.
tax = Inclusief belasting: { $tax }.
line = { $name }: { $text }.
unknown = De prijs op { $day } om { $at } is niet bekend.
unknown_yet = De prijs op { $day } om { $at } is nog niet bekend.
known_until = De prijzen zijn bekend tot { $until }.

# Apparaten met een eigen prijs.
device_vehicles = Voor de auto kost een kWh { $price }: { $difference } ({ $name }).
device_heat_pumps = Voor de warmtepomp kost een kWh { $price }: { $difference } ({ $name }).
allowance_left = Tegen deze prijs is nog { $left } van { $limit } over, tot { $until }. Daarboven kost een kWh { $beyond }.
allowance_used = De { $limit } tegen de lagere prijs zijn op. Nieuwe zijn er vanaf { $until }.
allowance_unmetered = Deze prijs geldt voor { $limit } per dag. Daarboven kost een kWh { $beyond }.

# Delen van een prijs in een zin; namen die je zelf hebt ingevuld staan tussen aanhalingstekens.
name_energy = de stroomprijs zelf
name_spot = de marktprijs
name_markup = de opslag van de leverancier
name_component = ‘{ $name }’

# Wat een deel kost, en waar de prijs ervan op berust.
by_price = { $price }
by_window = { $price } van { $from } tot { $to }
by_window_whole_day = { $price } de hele dag
by_no_window = { $price } buiten de bijzondere tijden
by_market = { $price } op de markt { $market } van { $from } tot { $to }
by_block = { $price } voor de eerste { $kwh } van de maand
by_allowance = { $price } voor de eerste { $kwh } per dag, van { $from } tot { $to }
by_allowance_whole_day = { $price } voor de eerste { $kwh } per dag
below_spot = omdat de marktprijs van { $market } onder nul ligt

# De plaats in de dag.
is_highest = de hoogste van de dag
is_lowest = de laagste van de dag
is_constant = de hele dag hetzelfde
is_between = die dag gemiddeld { $mean }

# De plaats van een prijs tussen die van de dag.
rank_cheapest = Goedkoopste van { $count } kwartieren
rank_dearest = Duurste van { $count } kwartieren
rank_cheap = { $place } goedkoopste van { $count } kwartieren
rank_dear = { $place } duurste van { $count } kwartieren
# Naar de uitgang van het getal in het Engels.
ordinal_st = { $rank }e
ordinal_nd = { $rank }e
ordinal_rd = { $rank }e
ordinal_th = { $rank }e
