### What the page Data says.

title = Gegevens
headline_clean =
    { $judged ->
        [one] De ene beoordeelde dag van deze maand is te vertrouwen.
       *[other] Alle { $judged } dagen van deze maand zijn te vertrouwen.
    }
headline_some =
    { $good ->
        [one] { $good } van de { $judged } dagen van deze maand is te vertrouwen.
       *[other] { $good } van de { $judged } dagen van deze maand zijn te vertrouwen.
    }
headline_empty = Van deze maand is nog geen dag beoordeeld.
lead = Waarvan Luna leert, waarmee Luna plant en rekent. Niets verdwijnt stilletjes: wat is geweigerd, staat hieronder tot jij beslist.
span_none = Er is nog niets vastgelegd.
span = Vastgelegd van { $first } tot { $last }.
stale = De laatste waarde is { $hours } uur oud: een bron zwijgt.
quality_title = Kwaliteit per dag
month_before = Vorige maand
month_after = Volgende maand
months = Getoonde maand
verdict_clean = in orde
verdict_mask_battery = alles behalve de batterij
verdict_exclude = weggelaten
verdict_none = niet beoordeeld
estimated_days = deels geschat
reasons_title = Wat er aan dagen schort
turn_sign = Ja, het teken van { $sensor } omdraaien, ook voor het verleden
exchange_sensors = Ja, { $source } en { $sink } verwisselen, ook voor het verleden
judge = Deze maand opnieuw beoordelen
gaps_title = Gaten
gaps_show = Gaten van deze maand zoeken
gaps_loading = Gaten zoeken …
gaps_none = Geen gaten: alles wat ooit is gemeld, is er.
gaps_unknown = Naar gaten kon niet worden gezocht:
gaps_more = en nog { $count }
column_series = Wat
column_from = Van
column_to = Tot
column_slots = Kwartieren
quarantine_title = Geweigerde rijen
quarantine_note = de laatste eerst
quarantine_none = Er wacht niets op je: er is geen rij geweigerd, of over elke rij is beslist.
quarantine_more = Alleen de laatste { $count } worden getoond.
row_line = regel { $line } · ontvangen { $at }
release = Zo toelaten
dismiss = Weglaten
correct = Corrigeren …
correct_send = Met deze waarden toelaten
release_named = Zo toelaten: rij { $id }
dismiss_named = Weglaten: rij { $id }
decided_released = Rij { $id } is toegelaten.
decided_corrected = Rij { $id } is gecorrigeerd toegelaten.
decided_dismissed = Rij { $id } blijft voorgoed weg.
upload_title = Een bestand importeren
upload_note = van een leverancier, een omvormer of Home Assistant: CSV, Excel of JSON. Je ziet eerst hoe het wordt opgeslagen
upload_look = Kijken wat erin staat
upload_known = Het heeft al de kolommen van Luna (ook Parquet, weer, stroommix, sensorwaarden)
upload_file = Bestand
upload_kind = Wat erin staat
kind_observations = Gemeten kwartieren
kind_prices = Prijzen
kind_weather = Weer
kind_carbon = Stroommix (CO₂)
kind_readings = Sensorwaarden
upload_timezone = Klok van tijden zonder tijdzone
upload_units = Eenheid, als het bestand die niet noemt
upload_send = Importeren
upload_progress = Geüpload
upload_failed = Het bestand is niet aangekomen. Probeer het nog eens.
loads_title = Laatst geïmporteerde bestanden
loads_none = Er is nog geen bestand geïmporteerd.
load_counts =
    { $rows ->
        [one] { $rows } rij: { $accepted } opgenomen ({ $accepted_in_part } deels), { $repaired } hersteld, { $quarantined } geweigerd, { $duplicated } dubbel
       *[other] { $rows } rijen: { $accepted } opgenomen ({ $accepted_in_part } deels), { $repaired } hersteld, { $quarantined } geweigerd, { $duplicated } dubbel
    }
load_done = klaar
load_queued = wacht
load_running = bezig
load_failed = geweigerd
load_dead = opgegeven
load_cancelled = geannuleerd
