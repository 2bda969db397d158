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
