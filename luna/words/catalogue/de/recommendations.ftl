title_shift_load = { $device }: günstigste Stunden nutzen
text_shift_load = Das Gerät läuft meist, sobald es kann. Die günstigsten Viertelstunden der nächsten acht Stunden kosten weniger.
evidence_shift_load = { $device }: Du hast { $energy } am Tag gekauft, im Durchschnitt für { $price } je kWh.
title_standby = Finde, was die ganze Nacht läuft
text_standby = Dein Haus braucht immer mindestens { $standby }. Zieh bei { $less } davon den Stecker.
evidence_standby = Zwischen 1 und 5 Uhr liegt dein Verbrauch in neun von zehn Viertelstunden über { $standby }.
title_battery_reserve = { $device }: Reserve senken
text_battery_reserve = Die Reserve ist { $reserve }. Brauchst du sie nicht für Stromausfälle, stell sie auf 10{ "\u00A0" }%. Die Batterie ersetzt dann mehr gekauften Strom.
evidence_battery_reserve =
    { $days_held ->
        [one] An { $days_held } Tag hast du Strom gekauft, während die Batterie an ihrer Reserve war.
       *[other] An { $days_held } Tagen hast du Strom gekauft, während die Batterie an ihrer Reserve war.
    }
title_negative_feed_in = Solarstrom bei negativen Preisen drosseln
text_negative_feed_in = In manchen Viertelstunden hast du für die Einspeisung bezahlt. Lass Luna den Solarstrom dann drosseln, oder nutze und speichere ihn.
evidence_negative_feed_in = Du hast { $energy } bei negativen Preisen eingespeist.
title_wash_in_sun = Wasche, wenn die Sonne scheint
text_wash_in_sun = Lass Wasch- und Spülmaschine in den zwei sonnigsten Stunden laufen statt am Abend.
evidence_wash_in_sun =
    { $runs_per_week ->
        [one] Angenommen: { $run } je Lauf, an { $runs_per_week } Tag der Woche.
       *[other] Angenommen: { $run } je Lauf, an { $runs_per_week } Tagen der Woche.
    }
title_tariff_offer = Vergleiche einen dynamischen Tarif ({ $market })
text_tariff_offer = Dieser Tarif folgt dem Börsenpreis, plus etwa { $markup } je kWh für Netz, Abgaben und Lieferant, ohne Mehrwertsteuer. Die Seite Was wäre, wenn berechnet, was er dich gekostet hätte.
title_tariff_replayed = Wechsle zum Tarif { $name }
text_tariff_replayed = Deine aufgezeichneten Tage hätten mit diesem Tarif weniger gekostet.
evidence_tariff_replayed =
    { $days ->
        [one] Berechnet für { $days } Tag vom { $first } bis { $last }: { $instead } mit { $name }, { $paid } mit deinem Tarif.
       *[other] Berechnet für { $days } Tage vom { $first } bis { $last }: { $instead } mit { $name }, { $paid } mit deinem Tarif.
    }
title_what_if = Was wäre, wenn: { $name }
text_what_if = Deine aufgezeichneten Tage hätten mit dieser Änderung weniger gekostet.
evidence_what_if =
    { $days ->
        [one] Berechnet für { $days } Tag vom { $first } bis { $last }: { $instead } mit { $name }, { $paid } ohne.
       *[other] Berechnet für { $days } Tage vom { $first } bis { $last }: { $instead } mit { $name }, { $paid } ohne.
    }
title_departure = { $device } fährt meist los: { $weekdays }, { $clock } Uhr
text_departure = Wenn du zustimmst, lädt Luna das Auto jede Woche rechtzeitig. Bis dahin zählt es nicht.
evidence_departure = An { $departures } von { $days } Tagen so gesehen.
title_document = { $title }
text_document = { $opening }
year_counted =
    { $days ->
        [one] Berechnet aus einem vollständigen Tag, { $first }, hochgerechnet auf ein Jahr.
       *[other] Berechnet aus { $days } vollständigen Tagen zwischen { $first } und { $last }, hochgerechnet auf ein Jahr.
    }
year_bill = In einem solchen Jahr zahlst du { $bill } für Strom.
reason_named = Es passt zu deiner Frage.
reason_similar = Es ähnelt dem, was du gelesen und gefragt hast.
reason_saving = Nach deinen eigenen Daten spart es { $saving } im Jahr.
reason_offered = Du hast es noch nicht mit deinem Tarif verglichen.
reason_other = Du hast es noch nicht angesehen.
