### Recommendations.

title_shift_load = { $device }: wait for cheap hours
text_shift_load = It draws most of its energy as soon as it can. In the cheapest quarter-hours of the eight hours after that, the same energy costs less.
evidence_shift_load = { $device }: { $energy } a day were bought for { $price } per kWh on average.
title_standby = Look for what runs all night
text_standby = The house never draws less than about { $standby }. Find { $less } of it and unplug it.
evidence_standby = Between 1:00 and 5:00 the load is above { $standby } in nine of ten quarter-hours.
title_battery_reserve = { $device }: a smaller reserve
text_battery_reserve = Its reserve is { $reserve } of the charge. Unless it is kept for an outage, 10% are usual; the rest would have replaced bought energy.
evidence_battery_reserve =
    { $days_held ->
        [one] On { $days_held } day the battery stood at its reserve while energy was bought.
       *[other] On { $days_held } days the battery stood at its reserve while energy was bought.
    }
title_negative_feed_in = Hold back PV at negative prices
text_negative_feed_in = Feeding in cost money in some quarter-hours. Let Luna hold the PV back then, or use and store it.
evidence_negative_feed_in = { $energy } were fed in at negative prices.
title_wash_in_sun = Wash while the sun shines
text_wash_in_sun = Run washing machine and dishwasher in the two sunniest hours instead of the evening.
evidence_wash_in_sun =
    { $runs_per_week ->
        [one] Assumed are runs of { $run } on { $runs_per_week } day a week.
       *[other] Assumed are runs of { $run } on { $runs_per_week } days a week.
    }
title_tariff_offer = Compare: prices of the exchange ({ $market })
text_tariff_offer = A tariff that follows the exchange, with grid, taxes and supplier of the order of { $markup } per kWh before tax. What it would have cost you is not known: replay your days under it, as Luna's what-if.
title_tariff_replayed = Another tariff: { $name }
text_tariff_replayed = Your days, replayed under this tariff, cost less.
evidence_tariff_replayed =
    { $days ->
        [one] Replayed: { $days } day from { $first } to { $last }, { $paid } as it is, { $instead } under { $name }.
       *[other] Replayed: { $days } days from { $first } to { $last }, { $paid } as it is, { $instead } under { $name }.
    }
title_what_if = What if: { $name }
text_what_if = Your days, replayed with this change, cost less.
evidence_what_if =
    { $days ->
        [one] Replayed: { $days } day from { $first } to { $last }, { $paid } as it is, { $instead } with { $name }.
       *[other] Replayed: { $days } days from { $first } to { $last }, { $paid } as it is, { $instead } with { $name }.
    }
title_document = { $title }
text_document = { $opening }

# What every saving of a year rests on.
year_counted =
    { $days ->
        [one] Counted from { $days } complete day, { $first }; a year of such days.
       *[other] Counted from { $days } complete days between { $first } and { $last }; a year of such days.
    }
year_bill = In a year of such days { $bill } is paid for electricity.

# Why an item is shown.
reason_named = It fits what you are looking for.
reason_similar = It resembles what you read and asked.
reason_saving = By your own data it saves { $saving } a year.
reason_offered = Nobody has compared it with your tariff yet.
reason_other = You have not looked at it yet.
