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
baseline =
    { $days ->
        [one] { $days } Tag mit dem Standort, wie er ist: eine Rechnung von { $bill }
       *[other] { $days } Tage mit dem Standort, wie er ist: eine Rechnung von { $bill }
    }
basis =
    { $days ->
        [one] , nach { $days } Tag zu urteilen
       *[other] , nach { $days } Tagen zu urteilen
    }
payback_after =
    { $value ->
        [one] ; die Anschaffung ist nach einem Jahr wieder da
       *[other] ; die Anschaffung ist nach { $value } Jahren wieder da
    }
payback_interval = { " " }({ $low } bis { $high })
payback_earliest = { " " }(frühestens { $low })
payback_never = ; die Anschaffung kommt nie wieder herein
payback_beyond =
    { $value ->
        [one] ; die Anschaffung ist in einem Jahr nicht wieder da
       *[other] ; die Anschaffung ist in { $value } Jahren nicht wieder da
    }
days_less =
    { $days ->
        [one] { $name } spart { $money } in { $days } Tag.
       *[other] { $name } spart { $money } in { $days } Tagen.
    }
days_same =
    { $days ->
        [one] { $name } kommt in { $days } Tag auf dasselbe.
       *[other] { $name } kommt in { $days } Tagen auf dasselbe.
    }
days_more =
    { $days ->
        [one] { $name } kostet { $money } mehr in { $days } Tag.
       *[other] { $name } kostet { $money } mehr in { $days } Tagen.
    }
days_few = { " " }Was ein Jahr spart und wann eine Anschaffung wieder da ist, sagen erst mindestens { $least } Tage.
bill_less = Die Rechnung ist { $money } niedriger
bill_same = Die Rechnung ist dieselbe
bill_more = Die Rechnung ist { $money } höher
end_less = die Ladung am Ende ist { $money } weniger wert
end_more = die Ladung am Ende ist { $money } mehr wert
gain_less = ; am Ende enthalten die Batterien { $money } weniger als am Anfang
gain_more = ; am Ende enthalten die Batterien { $money } mehr als am Anfang
