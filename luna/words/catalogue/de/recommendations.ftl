title_shift_load = { $device }: auf günstige Stunden warten
text_shift_load = Das Gerät zieht seine Energie meist, sobald es kann. In den günstigsten Viertelstunden der acht Stunden danach kostet dieselbe Energie weniger.
evidence_shift_load = { $device }: { $energy } am Tag wurden für im Mittel { $price } je kWh gekauft.
title_standby = Suche, was die ganze Nacht läuft
text_standby = Das Haus braucht nie weniger als etwa { $standby }. Finde davon { $less } und ziehe den Stecker.
evidence_standby = Zwischen 1 und 5 Uhr liegt die Last in neun von zehn Viertelstunden über { $standby }.
title_battery_reserve = { $device }: eine kleinere Reserve
text_battery_reserve = Die Reserve liegt bei { $reserve } der Ladung. Wird sie nicht für einen Stromausfall gebraucht, sind 10 % üblich; der Rest hätte Bezug ersetzt.
evidence_battery_reserve =
    { $days_held ->
        [one] An { $days_held } Tag stand die Batterie auf ihrer Reserve, während Strom gekauft wurde.
       *[other] An { $days_held } Tagen stand die Batterie auf ihrer Reserve, während Strom gekauft wurde.
    }
title_negative_feed_in = PV bei negativen Preisen abregeln
text_negative_feed_in = In manchen Viertelstunden hat die Einspeisung Geld gekostet. Lass Luna die PV dann abregeln, oder nutze und speichere den Strom.
evidence_negative_feed_in = { $energy } wurden bei negativen Preisen eingespeist.
title_wash_in_sun = Waschen, wenn die Sonne scheint
text_wash_in_sun = Lass Wasch- und Spülmaschine in den zwei sonnigsten Stunden laufen statt am Abend.
evidence_wash_in_sun =
    { $runs_per_week ->
        [one] Angenommen sind Läufe von { $run } an { $runs_per_week } Tag der Woche.
       *[other] Angenommen sind Läufe von { $run } an { $runs_per_week } Tagen der Woche.
    }
title_tariff_offer = Vergleichen: Börsenpreise ({ $market })
text_tariff_offer = Ein Tarif, der der Börse folgt, mit Netz, Abgaben und Lieferant von etwa { $markup } je kWh vor Steuer. Was er gekostet hätte, ist nicht bekannt: Lass deine Tage darunter wiederholen, als Was-wäre-wenn.
title_tariff_replayed = Ein anderer Tarif: { $name }
text_tariff_replayed = Deine Tage, unter diesem Tarif wiederholt, kosten weniger.
evidence_tariff_replayed =
    { $days ->
        [one] Wiederholt: { $days } Tag von { $first } bis { $last }, { $paid } wie es ist, { $instead } unter { $name }.
       *[other] Wiederholt: { $days } Tage von { $first } bis { $last }, { $paid } wie es ist, { $instead } unter { $name }.
    }
title_what_if = Was wäre wenn: { $name }
text_what_if = Deine Tage, mit dieser Änderung wiederholt, kosten weniger.
evidence_what_if =
    { $days ->
        [one] Wiederholt: { $days } Tag von { $first } bis { $last }, { $paid } wie es ist, { $instead } mit { $name }.
       *[other] Wiederholt: { $days } Tage von { $first } bis { $last }, { $paid } wie es ist, { $instead } mit { $name }.
    }
title_document = { $title }
text_document = { $opening }
year_counted =
    { $days ->
        [one] Gerechnet aus einem vollständigen Tag zwischen { $first } und { $last }; ein Jahr solcher Tage.
       *[other] Gerechnet aus { $days } vollständigen Tagen zwischen { $first } und { $last }; ein Jahr solcher Tage.
    }
year_bill = In einem Jahr solcher Tage werden { $bill } für Strom gezahlt.
reason_named = Es passt zu dem, was du suchst.
reason_similar = Es ähnelt dem, was du gelesen und gefragt hast.
reason_saving = Nach deinen eigenen Daten spart es { $saving } im Jahr.
reason_offered = Noch hat es niemand mit deinem Tarif verglichen.
reason_other = Du hast es noch nicht angesehen.
