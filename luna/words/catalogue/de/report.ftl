title = Luna: Demobericht
made = Demobericht · erstellt am { $date }, { $time } in { $seconds } s · eine Datei, öffnet ohne Netz
headline = An { $days } unbekannten Tagen erreicht Luna { $score } dessen, was vollkommene Voraussicht spart.
headline_one = An einem unbekannten Tag erreicht Luna { $score } dessen, was vollkommene Voraussicht spart.
headline_nothing = An { $days } unbekannten Tagen gab es für eine Batterie nichts zu sparen.
scale = Wertung { $zero } = Batterie ohne Aufgabe, { $full } = vollkommene Voraussicht.
household = Haushalt mit { $load } im Jahr
solar = { $peak } kWp Solar
battery = { $capacity } Batterie
cost =
    { $days ->
        [one] Kosten, { $days } Tag
       *[other] Kosten, { $days } Tage
    }
cost_note = { $idle } mit Batterie ohne Aufgabe
kept = Vom Möglichen erreicht
kept_note = Wechselrichter allein: { $score }
safety = Sicherheit
breaches =
    { $count ->
        [one] { $count } Verletzung
       *[other] { $count } Verletzungen
    }
safety_note = bei { $slots } Vorgaben
use = Nutzung der Batterie
cycles = { $cycles } Zyklen am Tag
use_note = Verschleiß mit { $wear } je kWh gerechnet
use_note_free = Verschleiß nicht gerechnet
plan = Die nächsten { $hours } Stunden
plan_note = Was Luna tun wird und warum. Zeige auf eine Viertelstunde, tippe sie an oder nutze die Pfeiltasten.
planned = geplant
buy = Kauf
sell = Verkauf
load = Haus
pv = Sonne
charging = Batterie
grid = Netz
worth = Eine gespeicherte kWh ist wert
opposite = Das Gegenteil wäre
opposite_value = { $cost } teurer
limits = Wirksame Grenzen
none = keine
part_of = Teil von { $first }–{ $last }
table = Jede Viertelstunde als Tabelle
time = Zeit
mode = Modus
why = Warum
chart_label = Plan, Viertelstunde für Viertelstunde
score = Wertung
score_note =
    { $days ->
        [one] Alle beginnen und enden mit demselben Ladestand, an demselben Tag: { $first } bis { $last }.
       *[other] Alle beginnen und enden mit demselben Ladestand, an denselben { $days } Tagen: { $first } bis { $last }.
    }
policy = Wer entscheidet
policy_cost = Kosten
saved = Gespart
cycles_a_day = Zyklen am Tag
loss = Was Prognosefehler kosten
loss_note = Derselbe Planer, der immer weniger weiß. Jede Stufe ist Geld, das eine Ursache kostet, in Punkten der Wertung.
loss_label = Verlorene Wertung nach Ursache
second = Ein zweites Haus: { $name }
second_better = Luna kostet { $amount } weniger als der Wechselrichter allein. Wo wenig zu gewinnen ist, darf nichts verloren gehen.
second_equal = Luna kostet dasselbe wie der Wechselrichter allein. Wo wenig zu gewinnen ist, darf nichts verloren gehen.
second_worse = Luna kostet hier { $amount } mehr als der Wechselrichter allein. Das darf nicht sein; bitte melden.
origin = Woher die Daten stammen
origin_note = Echte Reihen, an verschiedenen Orten gemessen. Was verschoben oder skaliert wurde, steht daneben.
series = Reihe
source = Quelle
licence = Lizenz
period = Zeitraum
changes = Was getan wurde
quality = Qualität
again = Noch einmal rechnen
again_note = Jede Zahl oben kommt aus diesen Befehlen.
loss_of_horizon = Preise nur bis morgen
loss_of_load_forecast = Verbrauch nicht bekannt
loss_of_pv_forecast = Sonne nicht bekannt
