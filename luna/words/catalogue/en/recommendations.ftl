### Tips: what to do, why, and how the saving is calculated.

title_shift_load = { $device }: use the cheapest hours
text_shift_load = It usually runs as soon as it can. The cheapest quarter-hours of the next eight hours cost less.
evidence_shift_load = { $device }: you bought { $energy } a day, at { $price } per kWh on average.
title_standby = Find what runs all night
text_standby = Your house always uses at least { $standby }. Unplug { $less } of it.
evidence_standby = Between 1:00 and 5:00 your use is above { $standby } in nine of ten quarter-hours.
title_battery_reserve = { $device }: lower the reserve
text_battery_reserve = The reserve is { $reserve }. Unless you need it for outages, set it to 10%. The battery then replaces more bought electricity.
evidence_battery_reserve =
    { $days_held ->
        [one] On { $days_held } day you bought electricity while the battery was at its reserve.
       *[other] On { $days_held } days you bought electricity while the battery was at its reserve.
    }
title_negative_feed_in = Limit solar at negative prices
text_negative_feed_in = In some quarter-hours you paid for feeding in. Let Luna limit solar then, or use and store it.
evidence_negative_feed_in = You fed in { $energy } at negative prices.
title_wash_in_sun = Wash while the sun shines
text_wash_in_sun = Run washing machine and dishwasher in the two sunniest hours, not in the evening.
evidence_wash_in_sun =
    { $runs_per_week ->
        [one] Assumed: { $run } for each run, on { $runs_per_week } day a week.
       *[other] Assumed: { $run } for each run, on { $runs_per_week } days a week.
    }
title_tariff_offer = Compare a dynamic tariff ({ $market })
text_tariff_offer = This tariff follows the market price, plus about { $markup } per kWh for grid, taxes and supplier, before VAT. The page What if calculates what it would have cost you.
title_tariff_replayed = Switch to the tariff { $name }
text_tariff_replayed = Your recorded days would have cost less with this tariff.
evidence_tariff_replayed =
    { $days ->
        [one] Calculated for { $days } day from { $first } to { $last }: { $instead } with { $name }, { $paid } with your tariff.
       *[other] Calculated for { $days } days from { $first } to { $last }: { $instead } with { $name }, { $paid } with your tariff.
    }
title_what_if = What if: { $name }
text_what_if = Your recorded days would have cost less with this change.
evidence_what_if =
    { $days ->
        [one] Calculated for { $days } day from { $first } to { $last }: { $instead } with { $name }, { $paid } without.
       *[other] Calculated for { $days } days from { $first } to { $last }: { $instead } with { $name }, { $paid } without.
    }
title_departure = { $device } usually leaves { $weekdays } at { $clock }
text_departure = Accept it, and Luna charges the car in time every week. Nothing counts until you do.
evidence_departure = Seen on { $departures } of { $days } days.
title_document = { $title }
text_document = { $opening }

# How every saving of a year is calculated.
year_counted =
    { $days ->
        [one] Calculated from { $days } complete day, { $first }, extended to a year.
       *[other] Calculated from { $days } complete days between { $first } and { $last }, extended to a year.
    }
year_bill = In such a year you pay { $bill } for electricity.

# Why Luna shows an item.
reason_named = It fits your question.
reason_similar = It is similar to what you read and asked.
reason_saving = Your own data shows that it saves { $saving } a year.
reason_offered = You have not compared it with your tariff yet.
reason_other = You have not looked at it yet.
