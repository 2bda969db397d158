### Tips: what to do, why, and how the saving is calculated.

title_shift_load = { $device }: gebruik de goedkoopste uren
text_shift_load = Het apparaat draait meestal zodra het kan. De goedkoopste kwartieren van de acht uur daarna kosten minder.
evidence_shift_load = { $device }: je kocht { $energy } per dag, voor gemiddeld { $price } per kWh.
title_standby = Zoek wat de hele nacht aanstaat
text_standby = Je huis verbruikt altijd minstens { $standby }. Trek bij { $less } daarvan de stekker eruit.
evidence_standby = Tussen 01:00 en 05:00 ligt je verbruik in negen van de tien kwartieren boven { $standby }.
title_battery_reserve = { $device }: verlaag de reserve
text_battery_reserve = De reserve is { $reserve }. Heb je die niet nodig voor stroomstoringen, zet die dan op 10%. De batterij vervangt dan meer gekochte stroom.
evidence_battery_reserve =
    { $days_held ->
        [one] Op { $days_held } dag kocht je stroom terwijl de batterij op de reserve stond.
       *[other] Op { $days_held } dagen kocht je stroom terwijl de batterij op de reserve stond.
    }
title_negative_feed_in = Begrens zonnestroom bij negatieve prijzen
text_negative_feed_in = In sommige kwartieren betaalde je voor terugleveren. Laat Luna de zonnestroom dan begrenzen, of gebruik hem en sla hem op.
evidence_negative_feed_in = Je leverde { $energy } terug bij negatieve prijzen.
title_wash_in_sun = Was als de zon schijnt
text_wash_in_sun = Laat wasmachine en vaatwasser in de twee zonnigste uren draaien, niet ’s avonds.
evidence_wash_in_sun =
    { $runs_per_week ->
        [one] Aangenomen: { $run } per wasbeurt, op { $runs_per_week } dag per week.
       *[other] Aangenomen: { $run } per wasbeurt, op { $runs_per_week } dagen per week.
    }
title_tariff_offer = Vergelijk een dynamisch tarief ({ $market })
text_tariff_offer = Dit tarief volgt de marktprijs, plus ongeveer { $markup } per kWh voor net, belasting en leverancier, zonder btw. De pagina Wat als berekent wat het jou had gekost.
title_tariff_replayed = Stap over op het tarief { $name }
text_tariff_replayed = Je vastgelegde dagen hadden met dit tarief minder gekost.
evidence_tariff_replayed =
    { $days ->
        [one] Berekend over { $days } dag van { $first } tot en met { $last }: { $instead } met { $name }, { $paid } met je tarief.
       *[other] Berekend over { $days } dagen van { $first } tot en met { $last }: { $instead } met { $name }, { $paid } met je tarief.
    }
title_what_if = Wat als: { $name }
text_what_if = Je vastgelegde dagen hadden met deze verandering minder gekost.
evidence_what_if =
    { $days ->
        [one] Berekend over { $days } dag van { $first } tot en met { $last }: { $instead } met { $name }, { $paid } zonder.
       *[other] Berekend over { $days } dagen van { $first } tot en met { $last }: { $instead } met { $name }, { $paid } zonder.
    }
title_departure = { $device } vertrekt meestal { $weekdays } om { $clock }
text_departure = Als je het goedvindt, laadt Luna de auto elke week op tijd. Tot dan telt het niet.
evidence_departure = Op { $departures } van { $days } dagen gezien.
title_document = { $title }
text_document = { $opening }

# How every saving of a year is calculated.
year_counted =
    { $days ->
        [one] Berekend uit { $days } volledige dag, { $first }, doorgerekend naar een jaar.
       *[other] Berekend uit { $days } volledige dagen tussen { $first } en { $last }, doorgerekend naar een jaar.
    }
year_bill = In zo’n jaar betaal je { $bill } voor stroom.

# Why Luna shows an item.
reason_named = Het past bij je vraag.
reason_similar = Het lijkt op wat je las en vroeg.
reason_saving = Volgens je eigen gegevens bespaart het { $saving } per jaar.
reason_offered = Je hebt het nog niet met je tarief vergeleken.
reason_other = Je hebt het nog niet bekeken.
