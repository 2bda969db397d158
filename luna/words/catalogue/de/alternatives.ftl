does_self_consumption = Dem Haus zu folgen
does_save = Nur Überschuss zu speichern
does_supply = Nur das Haus zu versorgen
does_hold = Zu halten
does_charge = Zu laden
does_export = Zu verkaufen
does_on = Es laufen zu lassen
does_off = Es auszulassen
at = { $what } ab { $time } ({ $device })
cost_more = würde { $money } mehr kosten
cost_same = würde gleich viel kosten
cost_less = würde { $money } weniger kosten
changes =
    { $count ->
        [0] sonst ändert sich nichts
        [one] ein weiterer Zeitabschnitt ändert sich, { $time }
       *[other] { $shown } weitere Zeitabschnitte ändern sich, der erste { $time }
    }
variant =
    { $count ->
        [one] { $name } { $money }; ein Zeitabschnitt ändert sich.
       *[other] { $name } { $money }; { $shown } Zeitabschnitte ändern sich.
    }
saves = { $name } spart { $value } im Jahr{ $basis }
costs = { $name } kostet im Jahr { $value } mehr{ $basis }
interval = { " " }(95 %: { $low } bis { $high })
baseline = { $days } Tage mit dem Standort, wie er ist: eine Rechnung von { $bill }
basis = , nach { $days } Tagen zu urteilen
payback_after = ; die Anschaffung ist nach { $value } Jahren wieder da
payback_interval = { " " }({ $low } bis { $high })
payback_earliest = { " " }(frühestens { $low })
payback_never = ; die Anschaffung kommt nie wieder herein
payback_beyond = ; die Anschaffung ist in { $value } Jahren nicht wieder da
days_less = { $name } spart { $money } in { $days } Tagen.
days_same = { $name } kommt in { $days } Tagen auf dasselbe.
days_more = { $name } kostet { $money } mehr in { $days } Tagen.
days_few = { " " }Was ein Jahr spart und wann eine Anschaffung wieder da ist, sagen erst mindestens { $least } Tage.
bill_less = Die Rechnung ist { $money } niedriger
bill_same = Die Rechnung ist dieselbe
bill_more = Die Rechnung ist { $money } höher
end_less = die Ladung am Ende ist { $money } weniger wert
end_more = die Ladung am Ende ist { $money } mehr wert
gain_less = ; am Ende enthalten die Batterien { $money } weniger als am Anfang
gain_more = ; am Ende enthalten die Batterien { $money } mehr als am Anfang
