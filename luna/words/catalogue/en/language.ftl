### What this language says of itself.

# What it is called in itself.
name = English
name-in-english = English
# Which form a whole number n takes, as in the header Plural-Forms of gettext's files: the place of the form in the list below, counted from 0.
plural = n != 1
# Names of its plural forms, as choices of messages have them: zero, one, two, few, many, other.
plural-forms = one other
# With its country, for what a browser writes.
locale = en-GB
countries = GB IE US CA AU NZ

## Numbers. { "\u00A0" } is a space at which no line breaks.

decimal-mark = .
group-mark = ,
share = { $number }%
energy = { $number }{ "\u00A0" }kWh
little-energy = { $number }{ "\u00A0" }Wh
less-energy = under { $amount }
power = { $number }{ "\u00A0" }kW
hours = { $number }{ "\u00A0" }h
temperature = { $number }{ "\u00A0" }°C
fahrenheit = { $number }{ "\u00A0" }°F
# Amounts: the sign is a minus, a plus or nothing; a currency has a symbol or, in the second, letters.
money = { $sign }{ $currency }{ $digits }
money-in-letters = { $sign }{ $currency }{ "\u00A0" }{ $digits }
# From a number below zero to another one.
range = { $low } to { $high }

## Days and times.

# From Monday and from January on, a space between them.
weekdays = Mon Tue Wed Thu Fri Sat Sun
weekdays-in-full = Monday Tuesday Wednesday Thursday Friday Saturday Sunday
months = Jan Feb Mar Apr May June July Aug Sept Oct Nov Dec
day = { $weekday } { $day }{ "\u00A0" }{ $month }
day-with-year = { $day }{ "\u00A0" }{ $month }{ "\u00A0" }{ $year }
month-with-year = { $month }{ "\u00A0" }{ $year }
# Of digits alone: d and M without a leading zero, dd and MM with one.
date = y-MM-dd
# Within a sentence.
at-time = at { $clock }
on-day-at-time = on { $day } at { $clock }

## Lists.

and = { $first } and { $last }
# Whether nouns within a sentence begin with a small or a large letter.
nouns = small
