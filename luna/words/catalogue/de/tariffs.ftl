### Was eine kWh kostet und bringt, nach Art des Tarifs.

buying_fixed = kaufen zu { $price }
buying_time_of_use = Strompreis nach Tageszeit
buying_spot = Stundenpreise von { $market } + { $markup }
buying_series = kaufen zu Preisen, die du lieferst
buying_components = Strompreis aus mehreren Teilen
buying_blocks = gestaffelte Preise ab { $price }
selling_components = Einspeisepreis aus mehreren Teilen
selling_fixed = verkaufen zu { $price }
selling_time_of_use = Einspeisevergütung nach Tageszeit
selling_spot = verkaufen zum Stundenpreis
selling_series = verkaufen zu Preisen, die du lieferst

### Die Teile eines solchen Preises, je eine Zeile: nach dem Namen des Teils.

part_fixed = { $price } zu jeder Zeit
part_window = { $price } von { $begin } bis { $end }
part_else = sonst { $price }
part_spot = Börsenpreis { $market }
part_spot_factor = Börsenpreis { $market } × { $factor }
part_billed_30 = nach halben Stunden abgerechnet
part_billed_60 = nach Stunden abgerechnet
part_series = Preise, die du lieferst
part_block = { $price } bis { $kwh } im Monat
part_allowance = { $price } für { $kwh } am Tag von { $begin } bis { $end }
part_beyond = danach { $price }
part_plant = { $price } für eine Solaranlage mit { $kw }
part_vat = dazu { $vat } Mehrwertsteuer
part_from = ab { $day }
part_until = bis { $day }
part_zero_below = nichts, solange der Börsenpreis { $market } unter null liegt
part_device = { $devices } zahlen { $difference } von { $begin } bis { $end }
part_device_always = { $devices } zahlen { $difference }
part_device_vehicles = Autos
part_device_heat_pumps = Wärmepumpen
part_device_less = { $price } weniger als das Haus
part_device_more = { $price } mehr als das Haus
part_device_same = so viel wie das Haus
part_device_limit = für { $limit } am Tag
part_device_anew = jeden Tag ab { $clock } Uhr neu
part_base_month = { $amount } im Monat
part_base_day = { $amount } am Tag
