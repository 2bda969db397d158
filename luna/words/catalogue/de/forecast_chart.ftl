title = Vorhersage für { $site }
headline = { $hours } Stunden ab { $time }: Das Haus verbraucht { $load }, die Sonne bringt { $pv }.
headline_load = { $hours } Stunden ab { $time }: Das Haus verbraucht { $load }.
usual = In den letzten sieben Tagen waren es zu denselben Stunden { $load } und { $pv }.
usual_load = In den letzten sieben Tagen waren es zu denselben Stunden { $load }.
load = Verbrauch
pv = Solarstrom
expected = erwartet
usual_key = üblich: Mittel der letzten sieben Tage
happened = was geschah
median = Median
half = 5 von 10 Fällen
most = 8 von 10
nearly = 9 von 10
night = Nacht
between = 8 von 10 Fällen liegen zwischen { $low } und { $high }.
it_was = Es waren { $power }.
made = { $version }, erstellt { $day }, { $time }.
within_load =
    { $count ->
        [one] Seither lag der Verbrauch in { $share } der einen bekannten Viertelstunde im 8-von-10-Band; im Mittel sollen es 80{ "\u00A0" }% sein.
       *[other] Seither lag der Verbrauch in { $share } der { $count } bekannten Viertelstunden im 8-von-10-Band; im Mittel sollen es 80{ "\u00A0" }% sein.
    }
within_pv =
    { $count ->
        [one] Seither lag der Solarstrom in { $share } der einen hellen Viertelstunde im 8-von-10-Band; im Mittel sollen es 80{ "\u00A0" }% sein.
       *[other] Seither lag der Solarstrom in { $share } der { $count } hellen Viertelstunden im 8-von-10-Band; im Mittel sollen es 80{ "\u00A0" }% sein.
    }
label = Vorhersage von Verbrauch und Solarstrom mit ihrer Unsicherheit, Viertelstunde für Viertelstunde
stage_cold = Noch ist fast nichts gemessen: Der Verbrauch ist der des Standardlastprofils.
stage_profile = Sie wiederholt die letzten Tage, denn noch ist nichts gelernt.
stage_young = Sie hat aus mehr als zwei Wochen dieses Hauses gelernt und wird besser, bis zwei Monate bekannt sind.
stage_full = Sie hat aus zwei Monaten und mehr dieses Hauses gelernt.
