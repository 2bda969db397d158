### Waarom een voorspelling onzeker is.

no_history = Er zijn nog geen recente metingen. Luna rekent met een typisch huishouden (BDEW H25).
load_by_yearly_kwh = De basis is het jaarverbruik dat je voor je huis hebt ingevuld.
load_by_persons = Luna schat het verbruik naar het aantal personen. Vul je kWh per jaar in op de pagina van je huis.
load_assumed = Luna gaat uit van 3.500 kWh per jaar. Vul je kWh per jaar of het aantal personen in op de pagina van je huis.
short_history = Luna heeft nog geen twee weken aan waarden. De voorspelling herhaalt ze en is onzeker.
load_gaps = Veel recente verbruikswaarden ontbreken. De voorspelling gebruikt oudere dagen.
pv_gaps = Veel recente zonnewaarden ontbreken. De voorspelling gebruikt oudere dagen.
load_frozen = De verbruikssensor stuurde urenlang dezelfde waarde. Luna laat die waarden weg. Controleer de sensor.
pv_frozen = De zonnesensor stuurde urenlang dezelfde waarde. Luna laat die waarden weg. Controleer de sensor.
load_constant = Het verbruik verandert nooit, dat is ongewoon voor een huis. De voorspelling herhaalt het. Controleer de sensor.
pv_silent = Er is al dagen geen zonnestroom. Controleer de omvormer en de sensor, en of er sneeuw op de panelen ligt.
pv_held_back = Op { $held_back } van de laatste { $days } dagen was zonnestroom begrensd. Luna schat wat mogelijk was.
pv_blended = { $percent }% van deze zonneverwachting komt van andere diensten. Elke dienst telt mee naar hoe goed hij het laatst had.
unnamed_ac_limit = De omvormer levert nooit meer dan { $kw } kW. Vul dat als grens in het instellingenbestand van je huis in (ac_limit_kw, onder inverters).
roof_grown = Je zonnepanelen leveren meer dan vroeger. Luna rekent de oudere waarden om.
roof_exceeds_peak = Je zonnepanelen leveren meer dan het ingevulde piekvermogen. Verbeter dat op de pagina van je huis.
clock_change = In de voorspelling valt het verzetten van de klok. Sommige gewoonten volgen de klok, andere niet.
future_reading = Sommige meetwaarden hebben een datum in de toekomst. Luna laat ze weg. Controleer de klok van de sensor.
weather_missing = De weersverwachting ontbreekt. Zonder is de voorspelling van Luna onzekerder.
weather_late = De weersverwachting is oud. Er kwam geen nieuwere.
model_unusable = Luna kan de getrainde voorspelling niet lezen. Luna herhaalt de laatste dagen. Train opnieuw op de pagina Voorspelling.
model_away = Luna kan de getrainde voorspelling nu niet bereiken. Luna herhaalt de laatste dagen.
sun_from_time_zone = De plaats van je huis ontbreekt. Luna kan de zon alleen grof schatten. Vul de plaats in op de pagina van je huis.
untrained = Luna heeft nog geen voorspelling getraind. Luna herhaalt de laatste dagen, dat is onzeker.
