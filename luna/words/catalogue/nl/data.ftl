### What the page Data says.

title = Gegevens
headline_clean =
    { $judged ->
        [one] De ene gecontroleerde dag van deze maand is betrouwbaar.
       *[other] Alle { $judged } gecontroleerde dagen van deze maand zijn betrouwbaar.
    }
headline_some =
    { $good ->
        [one] { $good } van de { $judged } gecontroleerde dagen van deze maand is betrouwbaar.
       *[other] { $good } van de { $judged } gecontroleerde dagen van deze maand zijn betrouwbaar.
    }
headline_empty = Van deze maand is nog geen dag gecontroleerd.
lead = Met deze meetwaarden leert en plant Luna. Twijfelachtige waarden wachten hieronder op jouw beslissing.
span_none = Er zijn nog geen meetwaarden.
span = Meetwaarden van { $first } tot { $last }.
stale = Al { $hours } uur geen nieuwe waarden. Controleer je sensoren.
quality_title = Kwaliteit per dag
month_before = Vorige maand
month_after = Volgende maand
months = Maand kiezen
verdict_clean = in orde
verdict_mask_battery = goed, behalve batterij
verdict_exclude = niet gebruikt
verdict_none = niet gecontroleerd
estimated_days = deels geschat
reasons_title = Gevonden problemen
turn_sign = Ja, teken van { $sensor } omkeren, ook met terugwerkende kracht
exchange_sensors = Ja, “{ $source }” en “{ $sink }” omwisselen, ook met terugwerkende kracht
judge = Deze maand opnieuw controleren
gaps_title = Gaten
gaps_show = Gaten van deze maand tonen
gaps_loading = Gaten zoeken …
gaps_none = Geen gaten.
gaps_unknown = Luna kon niet naar gaten zoeken.
gaps_more = en nog { $count }
column_series = Wat ontbreekt
column_from = Van
column_to = Tot
column_slots = Kwartieren
quarantine_title = Apart gezette rijen
quarantine_note = nieuwste eerst
quarantine_none = Er wachten geen rijen op jouw beslissing.
quarantine_more = Alleen de nieuwste { $count } zijn te zien.
row_line = regel { $line } · ontvangen { $at }
release = Zo gebruiken
dismiss = Weglaten
correct = Corrigeren …
correct_send = Met deze waarden gebruiken
release_named = Zo gebruiken: rij { $id }
dismiss_named = Weglaten: rij { $id }
decided_released = Luna gebruikt nu rij { $id }.
decided_corrected = Luna gebruikt nu rij { $id } met jouw waarden.
decided_dismissed = Luna laat rij { $id } weg.
upload_title = Een bestand importeren
upload_note = CSV, Excel of JSON van je leverancier, omvormer of Home Assistant. Je controleert het voordat Luna het opslaat.
upload_look = Bestand controleren
upload_known = Het bestand heeft al de kolommen van Luna (ook Parquet, weer, CO₂, sensorwaarden)
upload_file = Bestand
upload_kind = Inhoud
kind_observations = Gemeten kwartieren
kind_prices = Prijzen
kind_weather = Weer
kind_carbon = CO₂ van netstroom
kind_readings = Sensorwaarden
upload_timezone = Tijdzone, als het bestand er geen noemt
upload_units = Eenheden, als het bestand er geen noemt
upload_send = Importeren
upload_progress = Geüpload
upload_failed = Het bestand is niet aangekomen. Probeer het nog eens.
loads_title = Geïmporteerde bestanden
loads_none = Je hebt nog geen bestand geïmporteerd.
load_counts =
    { $rows ->
        [one] { $rows } rij: { $accepted } overgenomen ({ $accepted_in_part } deels), { $repaired } hersteld, { $quarantined } apart gezet, { $duplicated } dubbel
       *[other] { $rows } rijen: { $accepted } overgenomen ({ $accepted_in_part } deels), { $repaired } hersteld, { $quarantined } apart gezet, { $duplicated } dubbel
    }
load_done = klaar
load_queued = wacht
load_running = bezig
load_failed = niet geïmporteerd
load_dead = gestopt
load_cancelled = geannuleerd
