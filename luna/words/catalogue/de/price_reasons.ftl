### Warum eine kWh zu einer Zeit kostet, was sie kostet. Die ersten zwei Sätze sind die Antwort, die anderen Einzelheiten.

buys = Um { $at } Uhr kostet eine kWh { $price }.
buys_on_day = Am { $day } um { $at } Uhr kostet eine kWh { $price }.
earns = Um { $at } Uhr bekommst du für eine kWh { $price }.
earns_on_day = Am { $day } um { $at } Uhr bekommst du für eine kWh { $price }.
main = Der Hauptgrund ist { $name }: { $text }.
constant = Der Preis ist den ganzen Tag gleich.
average = Das ist der Durchschnitt des Tages.
rank = { $rank }; der Durchschnitt des Tages ist { $mean }.
day_mean = Der Durchschnitt des Tages ist { $mean }.
tax = Darin enthaltene Steuer: { $tax }.
line = { $name }: { $text }.
unknown = Der Preis am { $day } um { $at } Uhr ist nicht bekannt.
unknown_yet = Der Preis am { $day } um { $at } Uhr ist noch nicht bekannt.
known_until = Bekannt sind die Preise bis { $until } Uhr.

# Geräte mit einem eigenen Preis.
device_vehicles = Fürs Auto kostet die kWh { $price }: { $difference } ({ $name }).
device_heat_pumps = Für die Wärmepumpe kostet die kWh { $price }: { $difference } ({ $name }).
allowance_left = Noch { $left } von { $limit } gibt es zu diesem Preis, bis { $until } Uhr. Darüber kostet die kWh { $beyond }.
allowance_used = Die { $limit } zum günstigeren Preis sind aufgebraucht. Neue gibt es ab { $until } Uhr.
allowance_unmetered = Dieser Preis gilt für { $limit } am Tag. Darüber kostet die kWh { $beyond }.

# Teile eines Preises im Satz; Namen, die du eingetragen hast, stehen in Anführungszeichen.
name_energy = der Strompreis selbst
name_spot = der Börsenpreis
name_markup = der Aufschlag des Anbieters
name_component = „{ $name }“

# Was ein Teil kostet, und woraus sein Preis folgt.
by_price = { $price }
by_window = { $price } von { $from } bis { $to } Uhr
by_window_whole_day = { $price } den ganzen Tag
by_no_window = { $price } außerhalb der besonderen Zeiten
by_market = { $price } am Markt { $market } von { $from } bis { $to } Uhr
by_block = { $price } für die ersten { $kwh } des Monats
by_allowance = { $price } für die ersten { $kwh } am Tag, von { $from } bis { $to } Uhr
by_allowance_whole_day = { $price } für die ersten { $kwh } am Tag
below_spot = weil der Börsenpreis von { $market } unter null liegt

# Sein Platz im Tag.
is_highest = der höchste Wert des Tages
is_lowest = der niedrigste Wert des Tages
is_constant = den ganzen Tag gleich
is_between = an diesem Tag im Schnitt { $mean }

# Der Platz eines Preises unter denen seines Tages.
rank_cheapest = Günstigste von { $count } Viertelstunden
rank_dearest = Teuerste von { $count } Viertelstunden
rank_cheap = Platz { $place } der günstigsten von { $count } Viertelstunden
rank_dear = Platz { $place } der teuersten von { $count } Viertelstunden
# Nach der Endung der Zahl im Englischen.
ordinal_st = { $rank }
ordinal_nd = { $rank }
ordinal_rd = { $rank }
ordinal_th = { $rank }
