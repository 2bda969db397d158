### What an alternative to a plan comes to.

# What is done instead, as it stands within a sentence.
does_self_consumption = Following the house
does_save = Only storing surplus
does_supply = Only supplying the house
does_hold = Holding
does_charge = Charging
does_export = Selling
does_on = Running it
does_off = Leaving it off

# From when on, and what it comes to.
at = { $what } from { $time } ({ $device })
cost_more = would cost { $money } more
cost_same = would cost the same
cost_less = would cost { $money } less
changes =
    { $count ->
        [0] nothing else changes
        [one] one more slot changes, { $time }
       *[other] { $shown } more slots change, the first { $time }
    }
variant =
    { $count ->
        [one] { $name } { $money }; one slot changes.
       *[other] { $name } { $money }; { $shown } slots change.
    }

# What days cost, and what a year saves; by so many days where they are not a year: a season says little of the others.
saves = { $name } saves { $value } a year{ $basis }
costs = { $name } costs { $value } a year more{ $basis }
interval = { " " }(95 %: { $low } to { $high })
baseline =
    { $days ->
        [one] { $days } day with the site as it is: a bill of { $bill }
       *[other] { $days } days with the site as it is: a bill of { $bill }
    }
basis =
    { $days ->
        [one] , going by { $days } day
       *[other] , going by { $days } days
    }
payback_after =
    { $value ->
        [one] ; it is paid back in { $value } year
       *[other] ; it is paid back in { $value } years
    }
payback_interval = { " " }({ $low } to { $high })
payback_earliest = { " " }({ $low } at the earliest)
payback_never = ; it never pays back
payback_beyond =
    { $value ->
        [one] ; it is not paid back within { $value } year
       *[other] ; it is not paid back within { $value } years
    }

# Over days that say nothing of a year; and what an investment would need.
days_less =
    { $days ->
        [one] { $name } saves { $money } in { $days } day.
       *[other] { $name } saves { $money } in { $days } days.
    }
days_same =
    { $days ->
        [one] { $name } comes to the same in { $days } day.
       *[other] { $name } comes to the same in { $days } days.
    }
days_more =
    { $days ->
        [one] { $name } costs { $money } more in { $days } day.
       *[other] { $name } costs { $money } more in { $days } days.
    }
days_few = { " " }What a year saves, and when an investment is back, takes at least { $least } days to tell.

# How that comes about: the bill, and what the charge at the end is worth.
bill_less = The bill is { $money } lower
bill_same = The bill is the same
bill_more = The bill is { $money } higher
end_less = the charge left at the end is worth { $money } less
end_more = the charge left at the end is worth { $money } more
gain_less = ; at the end the batteries hold { $money } less than at the beginning
gain_more = ; at the end the batteries hold { $money } more than at the beginning
