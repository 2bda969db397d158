### What you pay and earn for a kWh, by kind of tariff.

buying_fixed = buying at { $price }
buying_time_of_use = electricity price by time of day
buying_spot = hourly prices of { $market } + { $markup }
buying_series = buying at prices you provide
buying_components = electricity price of several parts
buying_blocks = tiered prices from { $price }
selling_components = feed-in price of several parts
selling_fixed = selling at { $price }
selling_time_of_use = feed-in price by time of day
selling_spot = selling at the hourly price
selling_series = selling at prices you provide

### The parts of such a price, a line each: after the name of the part.

part_fixed = { $price } at any time
part_window = { $price } from { $begin } to { $end }
part_else = else { $price }
part_spot = market price { $market }
part_spot_factor = market price { $market } × { $factor }
part_billed_30 = billed by the half-hour
part_billed_60 = billed by the hour
part_series = prices you provide
part_block = { $price } up to { $kwh } a month
part_allowance = { $price } for { $kwh } a day from { $begin } to { $end }
part_beyond = then { $price }
part_plant = { $price } for solar of { $kw }
part_vat = plus { $vat } VAT
part_from = from { $day }
part_until = until { $day }
part_zero_below = nothing while the market price { $market } is below zero
part_device = { $devices } pay { $difference } from { $begin } to { $end }
part_device_always = { $devices } pay { $difference }
part_device_vehicles = cars
part_device_heat_pumps = heat pumps
part_device_less = { $price } less than the house
part_device_more = { $price } more than the house
part_device_same = the same as the house
part_device_limit = for { $limit } a day
part_device_anew = each day from { $clock }
part_base_month = { $amount } a month
part_base_day = { $amount } a day
