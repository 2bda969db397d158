### The report of the demo.

title = Luna: demorapport
made = demorapport · gemaakt { $date }, { $time } in { $seconds } s · één bestand, opent zonder netwerk
headline = Op { $days } ongeziene dagen haalde Luna { $score } van wat perfecte voorkennis bespaart.
headline_one = Op één ongeziene dag haalde Luna { $score } van wat perfecte voorkennis bespaart.
headline_nothing = Op { $days } ongeziene dagen viel er voor een batterij niets te besparen.
scale = Score { $zero } = batterij doet niets, { $full } = perfecte voorkennis.
household = Huishouden met { $load } per jaar
solar = { $peak } kWp zonnepanelen
battery = { $capacity } batterij
cost =
    { $days ->
        [one] Kosten, { $days } dag
       *[other] Kosten, { $days } dagen
    }
cost_note = { $idle } als de batterij niets doet
kept = Gehaald van het mogelijke
kept_note = alleen de omvormer: { $score }
safety = Veiligheid
breaches =
    { $count ->
        [one] { $count } overschrijding
       *[other] { $count } overschrijdingen
    }
safety_note = van { $slots } setpoints
use = Gebruik van de batterij
cycles = { $cycles } cycli per dag
use_note = slijtage gerekend met { $wear } per kWh
use_note_free = slijtage niet meegerekend
plan = De komende { $hours } uur
plan_note = Wat Luna gaat doen, en waarom. Wijs een kwartier aan, tik erop, of kies de grafiek en gebruik de pijltoetsen.
planned = gepland
buy = Kopen
sell = Verkopen
load = Huis
pv = Zon
charging = Batterij
grid = Net
worth = Een opgeslagen kWh is waard
opposite = Het omgekeerde
opposite_value = { $cost } duurder
limits = Grenzen die meespelen
none = geen
part_of = deel van { $first }–{ $last }
table = Elk kwartier als tabel
time = Tijd
mode = Modus
why = Waarom
chart_label = Plan, kwartier voor kwartier
score = Score
score_note =
    { $days ->
        [one] Alle strategieën beginnen en eindigen met hetzelfde laadniveau, op dezelfde dag: { $first } tot en met { $last }.
       *[other] Alle strategieën beginnen en eindigen met hetzelfde laadniveau, op dezelfde { $days } dagen: { $first } tot en met { $last }.
    }
policy = Strategie
policy_cost = Kosten
saved = Bespaard
cycles_a_day = Cycli per dag
loss = Wat voorspelfouten kosten
loss_note = Dezelfde planner, die steeds minder weet. Elke stap is geld dat één oorzaak kost, in punten van de score.
loss_label = Verloren score per oorzaak
second = Een tweede huis: { $name }
second_better = Luna kost { $amount } minder dan alleen de omvormer. Waar weinig te winnen valt, mag niets verloren gaan.
second_equal = Luna kost evenveel als alleen de omvormer. Waar weinig te winnen valt, mag niets verloren gaan.
second_worse = Luna kost hier { $amount } meer dan alleen de omvormer. Dat mag niet gebeuren; meld het alsjeblieft.
origin = Waar de gegevens vandaan komen
origin_note = Echte reeksen, op verschillende plaatsen gemeten. Wat is verschoven of geschaald, staat erbij.
series = Reeks
source = Bron
licence = Licentie
period = Periode
changes = Wat ermee is gedaan
quality = Kwaliteit
again = Zelf opnieuw maken
again_note = Elk getal hierboven komt uit deze opdrachten.

# What forecast errors cost, by cause.
loss_of_horizon = Prijzen alleen tot morgen
loss_of_load_forecast = Verbruik onbekend
loss_of_pv_forecast = Zon onbekend
