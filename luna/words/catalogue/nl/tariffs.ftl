### What a site pays and earns for a kWh: by the kind of the rule, with its own fields as figures.

buying_fixed = kopen tegen { $price }
buying_time_of_use = prijzen naar tijdstip
buying_spot = uurprijzen van { $market } + { $markup }
buying_series = kopen tegen eigen prijzen
buying_blocks = prijzen per staffel vanaf { $price }
selling_fixed = verkopen tegen { $price }
selling_time_of_use = verkopen naar tijdstip
selling_spot = verkopen tegen de uurprijs
selling_series = verkopen tegen eigen prijzen
