### Wiens prijzen een plan tot wanneer gebruikt.

market_all = Alle prijzen in dit plan zijn marktprijzen.
market_until = Tot { $t } zijn het marktprijzen. Daarna schat Luna de prijzen.
market_partly = Tot { $t } zijn het marktprijzen. Daarna schat Luna de prijzen die ontbreken.
forecast_all = Alle prijzen in dit plan zijn een voorspelling van je leverancier en kunnen nog veranderen.
forecast_until = Tot { $t } zijn de prijzen een voorspelling van je leverancier en kunnen ze nog veranderen. Daarna schat Luna ze.
forecast_partly = Tot { $t } zijn de prijzen een voorspelling van je leverancier en kunnen ze nog veranderen. Daarna schat Luna wat ontbreekt.
loaded_all = Alle prijzen in dit plan heb je zelf geïmporteerd.
loaded_until = De prijzen tot { $t } heb je zelf geïmporteerd. Daarna schat Luna ze.
loaded_partly = De prijzen tot { $t } heb je zelf geïmporteerd. Daarna schat Luna wat ontbreekt.
estimate_all = Luna schat alle prijzen in dit plan, want er is nog niets gepubliceerd.
estimate_partly = Luna schat de prijzen in dit plan die nog niet gepubliceerd zijn.
of_market = { $market }: { $sentence }
name_import_price = Kopen
name_export_price = Verkopen
