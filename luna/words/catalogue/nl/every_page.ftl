### Het kader van elke pagina: navigatie, voortgang van taken, fouten.

skip = Naar de inhoud
navigation = Pagina’s
language = Taal
as_of_offline = Stand van { $time }, geen verbinding
theme = Weergave
theme_system = Systeem
theme_light = Licht
theme_dark = Donker
error_title = Dit is niet gelukt
error_home = Naar de startpagina
error_where = Waar: { $field }
error_report = Nummer voor vragen: { $trace_id }
job_queued = Start zo.
job_running = Bezig.
job_steps = { $done } van { $total }
job_done = Klaar.
job_failed = Dit is niet gelukt.
job_dead = Dit is afgebroken. Luna probeert het niet nog eens.
job_look = Opnieuw controleren
job_progress = Voortgang
nav_home = Overzicht
nav_planning = Planning
nav_energy = Energie
nav_savings = Besparing
nav_agent = Antares
# Legt de naam Antares uit, in de navigatie en onder de kop van de pagina.
nav_agent_subtitle = de lerende assistent
nav_forecasts = Voorspelling
nav_what_ifs = Wat als
nav_knowledge = Documenten
nav_data = Gegevens
sites = Locaties
sites_choose = Locatie: { $site }. Kies een andere
site_unreadable = niet leesbaar
site_change = Dit huis wijzigen
site_untold = Luna stuurt de apparaten hier niet. Elk apparaat houdt zijn laatste opdracht. Stel de apparaten zelf in tot de fout is verholpen.
site_add = Locatie toevoegen
installation = Installatie
account = Account
simulated_name = Demohuis
simulated = Dit is een demohuis.
simulated_more = De cijfers zijn niet echt.
simulated_prices = Prijzen
simulated_prices_market = de prijzen van vandaag van { $market }
simulated_prices_recorded = prijzen uit een opgenomen jaar
simulated_prices_away = prijzen uit een opgenomen jaar: Luna kon die van vandaag van { $market } niet laden
simulated_prices_off = prijzen uit een opgenomen jaar: Luna mag niets van internet laden (LUNA_OUTSIDE_SERVICES)
simulated_remove = Verwijderen met alle gegevens
another_site = Nog een locatie instellen
try_battery = Testen met 200 W
try_battery_lead = De test duurt een halve minuut. De batterij pauzeert, laadt met 200 W en levert dan 200 W, elk tien seconden. Daarna werkt hij weer op zichzelf. De besturing blijft zoals die is.
try_device = Apparaten testen
try_device_lead = Een auto laadt hoogstens een minuut met 6 A, een geschakeld apparaat staat even lang aan. Daarna stoppen ze en werken ze weer op zichzelf. Steek de auto eerst in.
try_solar_lead = Hoogstens een minuut lang leveren de panelen de helft, daarna weer alles. Test als de zon schijnt.
trying_battery = Luna test de batterij.
tried_battery = Resultaat van de test
page_zone = Tijdzone: { $zone }

# Overzicht en instellingen: geleerde vertrekken die op een antwoord wachten.
departures_open =
    { $count ->
        [one] Luna heeft een wekelijks vertrek van een auto gemerkt.
       *[other] Luna heeft { $count } wekelijkse vertrekken van auto's gemerkt.
    }
departures_look = Bekijk het onder Planning
departure_accept = Overnemen
departure_accept_named = Overnemen: { $what }
departure_decline = Afwijzen
departure_decline_named = Afwijzen: { $what }
