### Recommendations.

title_shift_load = { $device }: wacht op goedkope uren
text_shift_load = Dit apparaat vraagt zijn energie meestal zodra het kan. In de goedkoopste kwartieren van de acht uur daarna kost dezelfde energie minder.
evidence_shift_load = { $device }: per dag is { $energy } gekocht tegen gemiddeld { $price } per kWh.
title_standby = Zoek wat de hele nacht aanstaat
text_standby = Het huis verbruikt nooit minder dan ongeveer { $standby }. Zoek daar { $less } van op en trek de stekker eruit.
evidence_standby = Tussen 01:00 en 05:00 ligt het verbruik in negen van de tien kwartieren boven { $standby }.
title_battery_reserve = { $device }: een kleinere reserve
text_battery_reserve = De reserve is { $reserve } van de lading. Bewaar je die niet voor een stroomstoring, dan is 10% gebruikelijk; de rest had gekochte stroom vervangen.
evidence_battery_reserve =
    { $days_held ->
        [one] Op { $days_held } dag stond de batterij op de reserve terwijl er stroom werd gekocht.
       *[other] Op { $days_held } dagen stond de batterij op de reserve terwijl er stroom werd gekocht.
    }
title_negative_feed_in = Zonnepanelen afregelen bij negatieve prijzen
text_negative_feed_in = In sommige kwartieren kostte terugleveren geld. Laat Luna de zonnepanelen dan afregelen, of gebruik de stroom of sla hem op.
evidence_negative_feed_in = { $energy } is teruggeleverd bij negatieve prijzen.
title_wash_in_sun = Was als de zon schijnt
text_wash_in_sun = Laat wasmachine en vaatwasser in de twee zonnigste uren draaien in plaats van ’s avonds.
evidence_wash_in_sun =
    { $runs_per_week ->
        [one] Aangenomen zijn wasbeurten van { $run } op { $runs_per_week } dag per week.
       *[other] Aangenomen zijn wasbeurten van { $run } op { $runs_per_week } dagen per week.
    }
title_tariff_offer = Vergelijk: een dynamisch tarief ({ $market })
text_tariff_offer = Een tarief dat de beurs volgt, met voor net, belasting en leverancier zo’n { $markup } per kWh, zonder btw. Wat het jou had gekost, is niet bekend: laat je dagen ermee naspelen onder Wat als.
title_tariff_replayed = Een ander tarief: { $name }
text_tariff_replayed = Met dit tarief nagespeeld, kosten je dagen minder.
evidence_tariff_replayed =
    { $days ->
        [one] Nagespeeld: { $days } dag van { $first } tot en met { $last }, { $paid } zoals het is, { $instead } met { $name }.
       *[other] Nagespeeld: { $days } dagen van { $first } tot en met { $last }, { $paid } zoals het is, { $instead } met { $name }.
    }
title_what_if = Wat als: { $name }
text_what_if = Met deze wijziging nagespeeld, kosten je dagen minder.
evidence_what_if =
    { $days ->
        [one] Nagespeeld: { $days } dag van { $first } tot en met { $last }, { $paid } zoals het is, { $instead } met { $name }.
       *[other] Nagespeeld: { $days } dagen van { $first } tot en met { $last }, { $paid } zoals het is, { $instead } met { $name }.
    }
title_document = { $title }
text_document = { $opening }

# What every saving of a year rests on.
year_counted =
    { $days ->
        [one] Berekend uit { $days } volledige dag tussen { $first } en { $last }; een jaar van zulke dagen.
       *[other] Berekend uit { $days } volledige dagen tussen { $first } en { $last }; een jaar van zulke dagen.
    }
year_bill = In een jaar van zulke dagen betaal je { $bill } voor stroom.

# Why an item is shown.
reason_named = Het past bij wat je zoekt.
reason_similar = Het lijkt op wat je las en vroeg.
reason_saving = Volgens je eigen gegevens bespaart het { $saving } per jaar.
reason_offered = Niemand heeft het nog met jouw tarief vergeleken.
reason_other = Je hebt het nog niet bekeken.
