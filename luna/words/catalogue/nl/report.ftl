### The report of the demo.

title = Luna: demorapport
made = Demorapport · gemaakt { $date }, { $time } in { $seconds } s · één bestand, werkt offline
headline = Op { $days } testdagen bespaarde Luna { $score } van wat mogelijk was.
headline_one = Op één testdag bespaarde Luna { $score } van wat mogelijk was.
headline_nothing = Op { $days } testdagen viel er voor een batterij niets te besparen.
scale = Score { $zero }: de batterij doet niets. { $full }: het beste wat kan als je alles vooraf weet.
household = Huishouden met { $load } per jaar
solar = { $peak } kWp zonnepanelen
battery = { $capacity } batterij
cost =
    { $days ->
        [one] Kosten, { $days } dag
       *[other] Kosten, { $days } dagen
    }
cost_note = { $idle } met een ongebruikte batterij
kept = Deel van de mogelijke besparing
kept_note = zonder Luna: { $score }
safety = Veiligheid
breaches =
    { $count ->
        [one] { $count } grens overschreden
       *[other] { $count } grenzen overschreden
    }
safety_note = gecontroleerde kwartieren: { $slots }
use = Gebruik van de batterij
cycles = { $cycles } cycli per dag
use_note = batterijslijtage gerekend met { $wear } per kWh
use_note_free = batterijslijtage niet meegerekend
plan = De komende { $hours } uur
plan_note = Wat Luna gaat doen, en waarom. Wijs een kwartier aan, tik erop, of kies de grafiek en gebruik de pijltoetsen.
planned = gepland
buy = Kopen
sell = Verkopen
load = Huis
pv = Zon
charging = Batterij
grid = Net
worth = Waarde van opgeslagen energie
opposite = Alternatief
opposite_value = { $cost } meer
opposite_same = geen verschil
limits = Grenzen
none = geen
part_of = deel van { $first }–{ $last }
table = Elk kwartier als tabel
time = Tijd
mode = Modus
why = Reden
chart_label = Plan, kwartier voor kwartier
score = Score
score_note =
    { $days ->
        [one] Alle strategieën beginnen en eindigen met hetzelfde batterijniveau, op dezelfde dag: { $first } tot en met { $last }.
       *[other] Alle strategieën beginnen en eindigen met hetzelfde batterijniveau, op dezelfde { $days } dagen: { $first } tot en met { $last }.
    }
policy = Strategie
policy_cost = Kosten
saved = Bespaard
cycles_a_day = Cycli per dag
loss = Wat voorspelfouten kosten
loss_note = Luna plant zonder alles te weten. Elke stap toont hoeveel punten van de score één oorzaak kost.
loss_label = Verloren punten van de score, per oorzaak
second = Een tweede huis: { $name }
second_better = Luna kost { $amount } minder dan het huis zonder Luna. Hier valt weinig te besparen. Luna mag dan in elk geval niet meer kosten.
second_equal = Luna kost evenveel als het huis zonder Luna. Hier valt weinig te besparen. Luna mag dan in elk geval niet meer kosten.
second_worse = Luna kost hier { $amount } meer dan het huis zonder Luna. Dat mag niet gebeuren. Meld het ons.
origin = Waar de gegevens vandaan komen
origin_note = Echte metingen van verschillende plaatsen. De tabel toont welke gegevens in tijd zijn verschoven of geschaald.
series = Gegevens
source = Bron
licence = Licentie
period = Periode
changes = Wijzigingen
quality = Kwaliteit
again = Zelf narekenen
again_note = Elk getal hierboven komt uit deze opdrachten.

# What forecast errors cost, by cause.
loss_of_horizon = Prijzen alleen tot morgen bekend
loss_of_load_forecast = Verbruik onbekend
loss_of_pv_forecast = Zon onbekend
