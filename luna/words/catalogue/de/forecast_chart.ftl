title = Prognose für { $site }
headline = { $hours } Stunden ab { $time }: Das Haus verbraucht { $load }, die Sonne bringt { $pv }.
headline_load = { $hours } Stunden ab { $time }: Das Haus verbraucht { $load }.
usual = Durchschnitt der letzten sieben Tage, gleiche Stunden: { $load } Verbrauch, { $pv } Solarstrom.
usual_load = Durchschnitt der letzten sieben Tage, gleiche Stunden: { $load } Verbrauch.
load = Verbrauch
pv = Solarstrom
expected = erwartet
usual_key = üblich: Durchschnitt der letzten sieben Tage
happened = gemessen
median = mittlerer Wert
half = 5 von 10 Fällen
most = 8 von 10
nearly = 9 von 10
night = Nacht
between = 8 von 10 Fällen liegen zwischen { $low } und { $high }.
it_was = Gemessen: { $power }.
made = { $version }, erstellt { $day }, { $time }.
within_load =
    { $count ->
        [one] Der Verbrauch lag in { $share } von einer gemessenen Viertelstunde im Schwankungsbereich. Ziel sind im Durchschnitt 80{ "\u00A0" }%.
       *[other] Der Verbrauch lag in { $share } von { $count } gemessenen Viertelstunden im Schwankungsbereich. Ziel sind im Durchschnitt 80{ "\u00A0" }%.
    }
within_pv =
    { $count ->
        [one] Der Solarstrom lag in { $share } von einer gemessenen Viertelstunde am Tag im Schwankungsbereich. Ziel sind im Durchschnitt 80{ "\u00A0" }%.
       *[other] Der Solarstrom lag in { $share } von { $count } gemessenen Viertelstunden am Tag im Schwankungsbereich. Ziel sind im Durchschnitt 80{ "\u00A0" }%.
    }
label = Prognose von Verbrauch und Solarstrom mit Schwankungsbereich, Viertelstunde für Viertelstunde
stage_cold = Es gibt noch kaum Messwerte. Luna nimmt den Verbrauch eines typischen Haushalts.
stage_profile = Noch ist nichts gelernt. Die Prognose wiederholt die letzten Tage.
stage_young = Die Prognose lernt aus mehr als zwei Wochen deines Zuhauses. Sie wird besser, bis sie zwei Monate kennt.
stage_full = Die Prognose lernt aus mindestens zwei Monaten deines Zuhauses.
