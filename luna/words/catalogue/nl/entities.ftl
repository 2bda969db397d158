### What Home Assistant shows of a site.

planned_mode = Geplande modus
actual_mode = Werkelijke modus
next_action = Volgende actie
next_action_at = Volgende actie om
energy_value = Waarde van opgeslagen energie
paid_today = Energie vandaag betaald
paid_yesterday = Energie gisteren betaald
cost_today = Energiekosten vandaag, verwacht
cost_tomorrow = Energiekosten morgen
saved_today = Vandaag bespaard
saved_yesterday = Gisteren bespaard
load_today = Verbruik vandaag
load_tomorrow = Verbruik morgen
pv_today = Zonne-opwek vandaag
pv_tomorrow = Zonne-opwek morgen
plan_age = Leeftijd van het plan
plan_soc = Gepland laadniveau
plan_battery = Gepland batterijvermogen
plan_grid = Gepland netvermogen
plan_load = Gepland verbruik
plan_pv = Gepland zonnevermogen
import_price = Afnameprijs
export_price = Terugleververgoeding
problem = Probleem
refusal = Laatste weigering
armed = Besturing ingeschakeld
vacation = Vakantie
plan_now = Nu plannen
override = Afwijken van het plan
override_hours = Afwijken gedurende
override_until = Afwijken tot

# What a select says while the plan is followed.
follow_plan = Plan volgen
