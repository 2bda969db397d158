### The chart of a forecast, and the notes beside it.

title = Voorspelling voor { $site }
headline = { $hours } uur vanaf { $time }: het huis verbruikt { $load }, de zon levert { $pv }.
headline_load = { $hours } uur vanaf { $time }: het huis verbruikt { $load }.
usual = Gemiddelde van de laatste zeven dagen, zelfde uren: { $load } verbruik, { $pv } zonnestroom.
usual_load = Gemiddelde van de laatste zeven dagen, zelfde uren: { $load } verbruik.
load = Verbruik
pv = Zonnestroom
expected = verwacht
usual_key = gewoonlijk: gemiddelde van de laatste zeven dagen
happened = gemeten
median = middelste waarde
half = 5 van 10 gevallen
most = 8 van 10
nearly = 9 van 10
night = nacht
between = 8 van 10 gevallen liggen tussen { $low } en { $high }.
it_was = Gemeten: { $power }.
made = { $version }, gemaakt { $day }, { $time }.
within_load =
    { $count ->
        [one] Het verbruik lag in { $share } van één gemeten kwartier binnen de bandbreedte. Het doel is gemiddeld 80%.
       *[other] Het verbruik lag in { $share } van { $count } gemeten kwartieren binnen de bandbreedte. Het doel is gemiddeld 80%.
    }
within_pv =
    { $count ->
        [one] De zonnestroom lag in { $share } van één gemeten kwartier met daglicht binnen de bandbreedte. Het doel is gemiddeld 80%.
       *[other] De zonnestroom lag in { $share } van { $count } gemeten kwartieren met daglicht binnen de bandbreedte. Het doel is gemiddeld 80%.
    }
label = Voorspelling van verbruik en zonnestroom met bandbreedte, kwartier voor kwartier

# What the forecast rests on.
stage_cold = Er zijn nog bijna geen meetwaarden. Luna gaat uit van een gewoon huishouden.
stage_profile = Er is nog niets geleerd. De voorspelling herhaalt de laatste dagen.
stage_young = De voorspelling leert van meer dan twee weken van je huis. Ze wordt beter tot ze twee maanden kent.
stage_full = De voorspelling leert van minstens twee maanden van je huis.
