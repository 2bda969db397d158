### Why a forecast is wide.

no_history = De laatste weken is er niets gemeten, of minder dan een dag: het verbruik volgt het standaardprofiel van huishoudens (BDEW H25).
load_by_yearly_kwh = De hoogte ervan is het jaarverbruik dat op de pagina van de locatie staat (household.yearly_kwh).
load_by_persons = De hoogte ervan is aangenomen naar het aantal personen in het huishouden. Vul het jaarverbruik in op de pagina van de locatie (household.yearly_kwh).
load_assumed = Luna gaat uit van een verbruik van 3.500 kWh per jaar. Vul het jouwe in, of het aantal personen in het huishouden, op de pagina van de locatie (household).
short_history = Er zijn minder dan twee weken bekend: de voorspelling herhaalt ze met een ruime marge.
load_gaps = Van het laatste verbruik ontbreekt veel: de voorspelling steunt op oudere dagen.
pv_gaps = Van de laatste opwek ontbreekt veel: de voorspelling steunt op oudere dagen.
load_frozen = De meting van het verbruik stond uren stil; wat die toen meldde, telt niet mee. Controleer de sensor.
pv_frozen = De meting van de opwek stond uren stil; wat die toen meldde, telt niet mee. Controleer de sensor.
load_constant = Het verbruik veranderde nooit: de voorspelling herhaalt het, al is geen huishouden zo gelijkmatig. Controleer de sensor.
pv_silent = De zonnepanelen leverden dagenlang niets: sneeuw, een omvormer die uitstaat, of een sensor. Met de zon kan het terugkomen.
pv_held_back = Op { $held_back } van de laatste { $days } dagen zijn de zonnepanelen afgeregeld: wat de zon had kunnen leveren, is geschat.
unnamed_ac_limit = De omvormer lijkt hoogstens { $kw } kW te leveren, hoe fel de zon ook schijnt. Zet dat in het locatiebestand: ac_limit_kw, onder inverters.
roof_grown = De zonnepanelen leveren meer dan vroeger: wat eerder is gemeten, is omgerekend naar de nieuwe opbrengst.
roof_exceeds_peak = De zonnepanelen leveren meer dan het opgegeven piekvermogen. Verbeter dat op de pagina van de locatie (peak_kw).
clock_change = Binnen de voorspelling wordt de klok verzet: gewoonten volgen de klok, maar niet allemaal.
future_reading = Metingen hebben een datum in de toekomst en tellen niet mee. Controleer de klok van de sensor.
weather_missing = Het komende weer is niet bekend, terwijl het model ervan heeft geleerd.
weather_late = De weersvoorspelling is oud: een nieuwere is niet aangekomen.
model_unusable = Het getrainde model is onbruikbaar: de voorspelling herhaalt de laatste dagen met een ruime marge. Train opnieuw.
model_away = De opslag van modellen geeft geen antwoord: de voorspelling herhaalt de laatste dagen met een ruime marge.
sun_from_time_zone = De locatie zegt niet waar hij ligt: de zon is een grove schatting, die van de tijdzone. Vul op de pagina van de locatie de plaats in (location).
untrained = Er is nog geen model getraind: de voorspelling herhaalt de laatste dagen met een ruime marge.
