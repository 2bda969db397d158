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
# Which form a whole number n takes, as in the header Plural-Forms of gettext's files: the place of the form in the list below, counted from 0.
plural = n != 1
# Names of its plural forms, as choices of messages have them: zero, one, two, few, many, other.
plural-forms = one other
