### Wessen Preise ein Plan bis wann nutzt.

market_all = Alle Preise in diesem Plan sind Marktpreise.
market_until = Bis { $t } sind es Marktpreise. Danach schätzt Luna die Preise.
market_partly = Bis { $t } sind es Marktpreise. Danach schätzt Luna die fehlenden Preise.
forecast_all = Alle Preise in diesem Plan sind eine Prognose deines Anbieters und können sich noch ändern.
forecast_until = Bis { $t } sind die Preise eine Prognose deines Anbieters und können sich noch ändern. Danach schätzt Luna sie.
forecast_partly = Bis { $t } sind die Preise eine Prognose deines Anbieters und können sich noch ändern. Danach schätzt Luna die fehlenden.
loaded_all = Alle Preise in diesem Plan hast du selbst geladen.
loaded_until = Die Preise bis { $t } hast du selbst geladen. Danach schätzt Luna sie.
loaded_partly = Die Preise bis { $t } hast du selbst geladen. Danach schätzt Luna die fehlenden.
estimate_all = Luna schätzt alle Preise in diesem Plan, denn veröffentlicht ist noch keiner.
estimate_partly = Luna schätzt die Preise in diesem Plan, die noch nicht veröffentlicht sind.
of_market = { $market }: { $sentence }
name_import_price = Kaufen
name_export_price = Verkaufen
