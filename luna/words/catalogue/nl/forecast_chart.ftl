### The chart of a forecast, and what stands beside it.

title = Voorspelling voor { $site }
headline = { $hours } uur vanaf { $time }: het huis verbruikt { $load } en de zon levert { $pv }.
headline_load = { $hours } uur vanaf { $time }: het huis verbruikt { $load }.
usual = De laatste zeven dagen was dat in dezelfde uren { $load } en { $pv }.
usual_load = De laatste zeven dagen was dat in dezelfde uren { $load }.
load = Verbruik
pv = Zonnestroom
expected = verwacht
usual_key = gewoonlijk: gemiddelde van de laatste zeven dagen
happened = wat er gebeurde
median = mediaan
half = 5 van 10 gevallen
most = 8 van 10
nearly = 9 van 10
night = nacht
between = 8 van 10 gevallen liggen tussen { $low } en { $high }.
it_was = Het was { $power }.
made = { $version }, gemaakt { $day }, { $time }.
within_load =
    { $count ->
        [one] Van het ene sindsdien bekende kwartier lag het verbruik in { $share } binnen de 8-van-10-band; gemiddeld hoort dat 80% te zijn.
       *[other] Van de { $count } sindsdien bekende kwartieren lag het verbruik in { $share } binnen de 8-van-10-band; gemiddeld hoort dat 80% te zijn.
    }
within_pv =
    { $count ->
        [one] Van het ene sindsdien bekende kwartier met daglicht lag de zonnestroom in { $share } binnen de 8-van-10-band; gemiddeld hoort dat 80% te zijn.
       *[other] Van de { $count } sindsdien bekende kwartieren met daglicht lag de zonnestroom in { $share } binnen de 8-van-10-band; gemiddeld hoort dat 80% te zijn.
    }
label = Voorspelling van verbruik en zonnestroom met de onzekerheid, kwartier voor kwartier

# What the forecast rests on.
stage_cold = Er is nog bijna niets gemeten: het verbruik is dat van het standaardprofiel.
stage_profile = De voorspelling herhaalt de laatste dagen, want er is nog niets geleerd.
stage_young = De voorspelling heeft geleerd van meer dan twee weken van dit huis, en wordt beter tot er twee maanden bekend zijn.
stage_full = De voorspelling heeft geleerd van twee maanden of meer van dit huis.
