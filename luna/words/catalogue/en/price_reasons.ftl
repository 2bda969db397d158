### Why a kWh costs what it costs at a time. The first two sentences are the answer, the others details.

buys = At { $at } a kWh costs { $price }.
buys_on_day = On { $day } at { $at } a kWh costs { $price }.
earns = At { $at } a kWh you sell earns { $price }.
earns_on_day = On { $day } at { $at } a kWh you sell earns { $price }.
main = The main reason is { $name }: { $text }.
constant = The price is the same all day.
average = That is the average of the day.
rank = { $rank }; the average of the day is { $mean }.
day_mean = The average of the day is { $mean }.
tax = Tax included: { $tax }.
line = { $name }: { $text }.
unknown = The price on { $day } at { $at } is not known.
unknown_yet = The price on { $day } at { $at } is not known yet.
known_until = Prices are known until { $until }.

# Devices with a price of their own.
device_vehicles = For the car a kWh costs { $price }: { $difference } ({ $name }).
device_heat_pumps = For the heat pump a kWh costs { $price }: { $difference } ({ $name }).
allowance_left = { $left } of { $limit } are left at this price until { $until }. Beyond that a kWh costs { $beyond }.
allowance_used = The { $limit } at the lower price are used up. You get new ones { $until }.
allowance_unmetered = This price is for { $limit } a day. Beyond that a kWh costs { $beyond }.

# Parts of a price within a sentence; names that you entered stand in quotation marks.
name_energy = the energy price
name_spot = the market price
name_markup = the supplier's markup
name_component = “{ $name }”

# What a part costs, and what sets its price.
by_price = { $price }
by_window = { $price } from { $from } to { $to }
by_window_whole_day = { $price } all day
by_no_window = { $price } outside its special times
by_market = { $price } on the market { $market } from { $from } to { $to }
by_block = { $price } for the first { $kwh } of the month
by_allowance = { $price } for the first { $kwh } a day, from { $from } to { $to }
by_allowance_whole_day = { $price } for the first { $kwh } a day
below_spot = because the market price of { $market } is below zero

# Its place in the day.
is_highest = the highest of the day
is_lowest = the lowest of the day
is_constant = the same all day
is_between = { $mean } on average that day

# The place of a price among those of its day.
rank_cheapest = Cheapest of { $count } quarter-hours
rank_dearest = Most expensive of { $count } quarter-hours
rank_cheap = { $place } cheapest of { $count } quarter-hours
rank_dear = { $place } most expensive of { $count } quarter-hours
# By the ending of the number: first, second, third, others.
ordinal_st = { $rank }st
ordinal_nd = { $rank }nd
ordinal_rd = { $rank }rd
ordinal_th = { $rank }th
