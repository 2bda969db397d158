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
