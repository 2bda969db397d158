title = Luna: Demobericht
made = Demobericht · erstellt am { $date }, { $time } in { $seconds } s · eine Datei, funktioniert offline
headline = An { $days } Testtagen hat Luna { $score } des Möglichen gespart.
headline_one = An einem Testtag hat Luna { $score } des Möglichen gespart.
headline_nothing = An { $days } Testtagen gab es für eine Batterie nichts zu sparen.
scale = Wertung { $zero }: Die Batterie tut nichts. { $full }: das Beste, wenn man alles vorher wüsste.
household = Haushalt mit { $load } im Jahr
solar = { $peak } kWp Solar
battery = { $capacity } Batterie
cost =
    { $days ->
        [one] Kosten, { $days } Tag
       *[other] Kosten, { $days } Tage
    }
cost_note = { $idle } mit ungenutzter Batterie
kept = Anteil der möglichen Ersparnis
kept_note = ohne Luna: { $score }
safety = Sicherheit
breaches =
    { $count ->
        [one] { $count } Grenze verletzt
       *[other] { $count } Grenzen verletzt
    }
safety_note = geprüfte Viertelstunden: { $slots }
use = Nutzung der Batterie
cycles = { $cycles } Zyklen am Tag
use_note = Batterieverschleiß mit { $wear } je kWh gerechnet
use_note_free = Batterieverschleiß nicht gerechnet
plan = Die nächsten { $hours } Stunden
plan_note = Was Luna tun wird und warum. Zeig auf eine Viertelstunde, tippe sie an oder nutze im Diagramm die Pfeiltasten.
planned = geplant
buy = Kaufen
sell = Verkaufen
load = Haus
pv = Solar
charging = Batterie
grid = Netz
worth = Wert gespeicherter Energie
opposite = Alternative
opposite_value = { $cost } mehr
opposite_same = kein Unterschied
limits = Grenzen
none = keine
part_of = Teil von { $first }–{ $last }
table = Jede Viertelstunde als Tabelle
time = Zeit
mode = Modus
why = Grund
chart_label = Plan, Viertelstunde für Viertelstunde
score = Wertung
score_note =
    { $days ->
        [one] Alle Strategien beginnen und enden mit demselben Ladestand, am selben Tag: { $first } bis { $last }.
       *[other] Alle Strategien beginnen und enden mit demselben Ladestand, an denselben { $days } Tagen: { $first } bis { $last }.
    }
policy = Strategie
policy_cost = Kosten
saved = Gespart
cycles_a_day = Zyklen am Tag
loss = Was Prognosefehler kosten
loss_note = Luna plant, ohne alles zu wissen. Jede Stufe zeigt, wie viele Punkte der Wertung eine Ursache kostet.
loss_label = Verlorene Punkte der Wertung nach Ursache
second = Ein zweites Zuhause: { $name }
second_better = Luna kostet { $amount } weniger als das Zuhause ohne Luna. Hier ist wenig zu sparen. Luna darf dann wenigstens nicht mehr kosten.
second_equal = Luna kostet so viel wie das Zuhause ohne Luna. Hier ist wenig zu sparen. Luna darf dann wenigstens nicht mehr kosten.
second_worse = Luna kostet hier { $amount } mehr als das Zuhause ohne Luna. Das darf nicht sein. Melde es uns.
origin = Woher die Daten kommen
origin_note = Echte Messwerte von verschiedenen Orten. Die Tabelle zeigt, welche Daten zeitlich verschoben oder skaliert sind.
series = Daten
source = Quelle
licence = Lizenz
period = Zeitraum
changes = Änderungen
quality = Qualität
again = Selbst nachrechnen
again_note = Jede Zahl oben kommt aus diesen Befehlen.
loss_of_horizon = Preise nur bis morgen bekannt
loss_of_load_forecast = Verbrauch unbekannt
loss_of_pv_forecast = Solarstrom unbekannt
