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
