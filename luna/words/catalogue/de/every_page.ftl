### Der Rahmen jeder Seite: Navigation, Fortschritt von Aufträgen, Fehler.

skip = Zum Inhalt springen
navigation = Seiten
language = Sprache
as_of_offline = Stand { $time }, keine Verbindung
theme = Darstellung
theme_system = System
theme_light = Hell
theme_dark = Dunkel
error_title = Das hat nicht geklappt
error_home = Zur Startseite
error_where = Wo: { $field }
error_report = Nummer für Rückfragen: { $trace_id }
job_queued = Startet gleich.
job_running = Läuft.
job_steps = { $done } von { $total }
job_done = Fertig.
job_failed = Das hat nicht geklappt.
job_dead = Das ist abgebrochen. Luna versucht es nicht noch einmal.
job_look = Erneut prüfen
job_progress = Fortschritt
nav_home = Übersicht
nav_planning = Zeitplan
nav_energy = Energie
nav_savings = Ersparnis
nav_agent = Antares
# Erklärt den Namen Antares, in der Navigation und unter der Überschrift der Seite.
nav_agent_subtitle = der lernende Assistent
nav_forecasts = Prognose
nav_what_ifs = Was wäre, wenn
nav_knowledge = Dokumente
nav_data = Daten
sites = Standorte
sites_choose = Standort: { $site }. Anderen wählen
site_unreadable = nicht lesbar
site_change = Dieses Zuhause ändern
site_untold = Luna steuert die Geräte hier nicht. Jedes Gerät behält seinen letzten Befehl. Stell die Geräte selbst ein, bis der Fehler behoben ist.
site_add = Standort hinzufügen
installation = Anlage
account = Konto
simulated_name = Demo-Zuhause
simulated = Das ist ein Demo-Zuhause.
simulated_more = Seine Zahlen sind nicht echt.
simulated_prices = Preise
simulated_prices_market = heutige Preise von { $market }
simulated_prices_recorded = Preise aus einem aufgezeichneten Jahr
simulated_prices_away = Preise aus einem aufgezeichneten Jahr: Die heutigen von { $market } ließen sich nicht laden
simulated_prices_off = Preise aus einem aufgezeichneten Jahr: Luna darf nichts aus dem Internet laden (LUNA_OUTSIDE_SERVICES)
simulated_remove = Mit allen Daten löschen
another_site = Weiteren Standort einrichten
try_battery = Mit 200 W testen
try_battery_lead = Der Test dauert eine halbe Minute. Die Batterie pausiert, lädt mit 200 W und gibt dann 200 W ab, je zehn Sekunden. Danach läuft sie wieder eigenständig. Die Steuerung bleibt, wie sie ist.
try_device = Geräte testen
try_device_lead = Ein Auto lädt höchstens eine Minute mit 6 A, ein geschaltetes Gerät ist ebenso lange an. Dann halten sie an und laufen wieder eigenständig. Steck das Auto vorher an.
try_solar_lead = Höchstens eine Minute lang liefert die Solaranlage nur die Hälfte, danach wieder alles. Teste, wenn die Sonne scheint.
trying_battery = Luna testet die Batterie.
tried_battery = Ergebnis des Tests
page_zone = Zeitzone: { $zone }

# Übersicht und Einstellungen: gelernte Abfahrten, die auf eine Antwort warten.
departures_open =
    { $count ->
        [one] Luna hat eine wöchentliche Abfahrt eines Autos bemerkt.
       *[other] Luna hat { $count } wöchentliche Abfahrten von Autos bemerkt.
    }
departures_look = Unter Zeitplan ansehen
departure_accept = Übernehmen
departure_accept_named = Übernehmen: { $what }
departure_decline = Ablehnen
departure_decline_named = Ablehnen: { $what }
