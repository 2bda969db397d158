### What this language says of itself.

# Terms: English = Dutch, one word for one thing on every page. The reader is "je"; the battery and the car are "hij"; Luna and Antares have no pronoun.
#
# appliance, device = apparaat
# armed, arm = besturing ingeschakeld, inschakelen
# battery = batterij
# bill = rekening
# buy, buy from the grid = kopen, afnemen; what is bought = afname
# charge from the grid = uit het net laden
# charge, discharge = laden, ontladen
# capacity tariff, capacity charge = capaciteitstarief
# charger = laadpaal
# consumption = verbruik
# control = besturing; to control devices = aansturen
# count a day = doorrekenen; a day counts = telt mee
# decide, decided = beslissen, beslist
# default = standaard
# evidence = bewijs
# fallback rule = noodregel
# feed in, feed-in price = terugleveren, terugleververgoeding
# fix (in a plan) = vastzetten; fixed = staat vast
# forecast, to forecast, predicted = voorspelling, voorspellen, voorspeld
# gatekeeper = poortwachter
# grid = net; house connection = netaansluiting
# held back (curtailed) = afgeregeld
# home, house = huis
# intensity of the grid = stroommix
# inverter = omvormer
# job = opdracht; task = taak
# judge = beoordelen
# load a file = importeren
# key, password, secret = sleutel, wachtwoord, geheim
# machine = computer
# market price = marktprijs
# meter = meter
# passage = passage
# perfect foresight = perfecte voorkennis
# plan, planning, planner = plan, planning, planner
# plugged in = aangesloten
# override = afwijken van het plan
# policy = strategie
# quarter-hour, slot = kwartier
# recorded = vastgelegd
# refused = geweigerd
# reserve = reserve
# savings, saved = besparing, bespaard
# sell = verkopen
# send = versturen
# settings = instellingen
# sign in, sign out = aanmelden, afmelden
# site = locatie
# solar panels, solar power = zonnepanelen, zonnestroom
# source = bron
# state of charge = laadniveau
# store a file, value = opslaan
# tariff = tarief
# What if = Wat als

# What it is called in itself.
name = Nederlands
name-in-english = Dutch
# Which form a whole number n takes, as in the header Plural-Forms of gettext's files: the place of the form in the list below, counted from 0.
plural = n != 1
# Names of its plural forms, as choices of messages have them: zero, one, two, few, many, other.
plural-forms = one other
# With its country, for what a browser writes.
locale = nl-NL
countries = NL BE

## Numbers. { "\u00A0" } is a space at which no line breaks.

decimal-mark = ,
group-mark = .
share = { $number }%
energy = { $number }{ "\u00A0" }kWh
little-energy = { $number }{ "\u00A0" }Wh
less-energy = minder dan { $amount }
power = { $number }{ "\u00A0" }kW
hours = { $number }{ "\u00A0" }uur
temperature = { $number }{ "\u00A0" }°C
fahrenheit = { $number }{ "\u00A0" }°F
# Amounts: the sign is a minus, a plus or nothing; a currency has a symbol or, in the second, letters. Source: Unicode CLDR 48, nl: "€ -2,60".
money = { $currency }{ "\u00A0" }{ $sign }{ $digits }
money-in-letters = { $currency }{ "\u00A0" }{ $sign }{ $digits }
# From a number below zero to another one.
range = { $low } tot { $high }

## Days and times.

# From Monday and from January on, a space between them.
weekdays = ma di wo do vr za zo
weekdays-in-full = maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
months = jan feb mrt apr mei juni juli aug sep okt nov dec
day = { $weekday } { $day }{ "\u00A0" }{ $month }
day-with-year = { $day }{ "\u00A0" }{ $month }{ "\u00A0" }{ $year }
month-with-year = { $month }{ "\u00A0" }{ $year }
# Of digits alone: d and M without a leading zero, dd and MM with one.
date = d-M-y
# Within a sentence.
at-time = om { $clock }
on-day-at-time = op { $day } om { $clock }

## Lists.

and = { $first } en { $last }
# Whether nouns within a sentence begin with a small or a large letter.
nouns = small
