### What an alternative to a plan costs, and what a change of the home saves.

# What the device does instead: the names of the modes.
does_self_consumption = Own use
does_save = Store solar
does_supply = Power the house
does_hold = Pause
does_charge = Charge
does_export = Sell
does_on = On
does_off = Off

# When it starts, what it costs and what else changes.
at = Alternative “{ $what }” from { $time } ({ $device })
cost_more = { $money } more
cost_same = no difference
cost_less = { $money } less
changes =
    { $count ->
        [0] nothing else changes
        [one] one more quarter-hour changes, { $time }
       *[other] { $shown } more quarter-hours change, the first { $time }
    }
variant =
    { $count ->
        [one] { $name }: { $money }; one quarter-hour changes.
       *[other] { $name }: { $money }; { $shown } quarter-hours change.
    }

# Savings of a year and payback; fewer days than a year are named.
saves = { $name } saves { $value } a year{ $basis }
costs = { $name } costs { $value } more a year{ $basis }
interval = { " " }(95% certain: { $low } to { $high })
baseline =
    { $days ->
        [one] Your home as it is: a bill of { $bill } in { $days } day
       *[other] Your home as it is: a bill of { $bill } in { $days } days
    }
basis =
    { $days ->
        [one] , based on { $days } day
       *[other] , based on { $days } days
    }
payback_after =
    { $value ->
        [one] ; it pays for itself in { $value } year
       *[other] ; it pays for itself in { $value } years
    }
payback_interval = { " " }({ $low } to { $high })
payback_earliest = { " " }({ $low } at the earliest)
payback_never = ; it never pays for itself
payback_beyond =
    { $value ->
        [one] ; it does not pay for itself within { $value } year
       *[other] ; it does not pay for itself within { $value } years
    }

# Savings over a few days only.
days_less =
    { $days ->
        [one] { $name } saves { $money } in { $days } day.
       *[other] { $name } saves { $money } in { $days } days.
    }
days_same =
    { $days ->
        [one] { $name } makes no difference in { $days } day.
       *[other] { $name } makes no difference in { $days } days.
    }
days_more =
    { $days ->
        [one] { $name } costs { $money } more in { $days } day.
       *[other] { $name } costs { $money } more in { $days } days.
    }
days_few = { " " }Luna needs at least { $least } days to estimate a year and the payback.

# How the difference comes about: the bill, and the energy left in the battery.
bill_less = The bill is { $money } lower
bill_same = The bill is the same
bill_more = The bill is { $money } higher
end_less = the energy left in the battery is worth { $money } less
end_more = the energy left in the battery is worth { $money } more
gain_less = ; the battery ends with { $money } less energy than at the start
gain_more = ; the battery ends with { $money } more energy than at the start
