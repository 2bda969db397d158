### What a site pays and earns for a kWh: by the kind of the rule, with its own fields as figures.

buying_fixed = buying at { $price }
buying_time_of_use = prices by time of day
buying_spot = hourly { $market } prices + { $markup }
buying_series = buying at prices of its own
buying_blocks = prices by block from { $price }
selling_fixed = selling at { $price }
selling_time_of_use = selling by time of day
selling_spot = selling at the hourly price
selling_series = selling at prices of its own
