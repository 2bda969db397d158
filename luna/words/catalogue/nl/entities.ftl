### Wat Home Assistant van een huis toont.

planned_mode = Geplande modus
actual_mode = Huidige modus
next_action = Volgende stap
next_action_at = Volgende stap om
energy_value = Waarde van opgeslagen energie
paid_today = Vandaag tot nu betaald
paid_yesterday = Gisteren betaald
cost_today = Kosten vandaag, verwacht
cost_tomorrow = Kosten morgen, verwacht
saved_today = Vandaag bespaard
saved_yesterday = Gisteren bespaard
load_today = Verbruik vandaag
load_tomorrow = Verbruik morgen
pv_today = Zonnestroom vandaag
pv_tomorrow = Zonnestroom morgen
plan_age = Leeftijd van het plan
plan_soc = Gepland batterijniveau
plan_battery = Gepland batterijvermogen
plan_grid = Gepland netvermogen
plan_load = Gepland verbruik
plan_pv = Gepland zonnevermogen
import_price = Stroomprijs
export_price = Terugleververgoeding
problem = Probleem
operator_limit = Begrenzing door de netbeheerder
operator_limit_power = Grens van de netbeheerder
refusal = Laatste fout
armed = Besturing
vacation = Vakantie
steering = Batterij nu
plan_now = Nu plannen
override = Eigen instelling
override_hours = Eigen instelling voor
override_until = Eigen instelling tot

# De keuze zolang het plan geldt.
follow_plan = Plan volgen
