### Het huis nu, voor antwoorden, berichten en Home Assistant.

# De basis van een cijfer.
basis_measured = gemeten
basis_planned = gepland
basis_assumed = aangenomen

# Wat er gebeurt en waarom, wat er volgt, kosten en besparing van dagen, het vertrek van de auto.
house_no_plan = Er is nu geen plan.
house_fault = De laatste poging ({ $tried }) is mislukt: { $why }
house_would = Luna stuurt niet. Dit zou Luna doen.
house_silent = { $device } heeft de opdracht van { $at } niet bevestigd en werkt nu op zichzelf. Hierna volgt het plan van Luna.
house_disobeys = { $device } nam de opdracht van { $at } aan, maar doet iets anders en werkt nu op zichzelf. Hierna volgt het plan van Luna.
house_spared = { $device } heeft vandaag genoeg wijzigingen gehad en werkt nu op zichzelf. Hierna volgt het plan van Luna.
house_kept = { $device } blijft in de modus van vóór { $at }. Wisselen bespaart minder dan het apparaat ervan slijt. Hierna volgt het plan van Luna.
house_level = { $note }
house_unknown = Je verbruik is onbekend sinds { $at }.
house_now = Nu, tot { $end }: { $mode }. { $reason }
house_now_each = { $device } nu, tot { $end }: { $mode }. { $reason }
house_next = Vanaf { $begin }: { $mode }. { $reason }
house_next_each = { $device } vanaf { $begin }: { $mode }. { $reason }
house_filled = De batterij is zo vol als gepland.
house_filled_each = { $device } is zo vol als gepland.
house_drained = De batterij is zo leeg als gepland.
house_drained_each = { $device } is zo leeg als gepland.
house_use = { $device } verbruikt van { $begin } tot { $end } { $kwh } voor { $cost } ({ $basis }).
house_car = { $device } komt aan met { $arrives } ({ $arrives_basis }). Vertrek { $end } met { $leaves } ({ $basis }).
house_stored = De batterij staat op { $soc } ({ $basis }).
house_stored_each = { $device } staat op { $soc } ({ $basis }).
house_stored_at = De batterij stond op { $soc } ({ $basis } { $at }).
house_stored_at_each = { $device } stond op { $soc } ({ $basis } { $at }).
house_paid_today = Vandaag heb je tot nu toe { $cost } voor energie betaald ({ $basis }).
house_cost_today = Om middernacht is het { $cost } ({ $basis }).
house_paid_yesterday = Gisteren betaalde je { $cost } ({ $basis }).
house_would_save_today = Luna zou je vandaag { $saved } besparen ten opzichte van alleen de omvormer ({ $basis }).
house_saved_today = Luna bespaart je vandaag { $saved } ten opzichte van alleen de omvormer ({ $basis }).
house_saved_yesterday = Gisteren was dat { $saved } ({ $basis }).

# De reden als het batterijniveau en niet het plan het huidige kwartier besliste.
level_decided = Bij het huidige batterijniveau is dit beter dan het plan.
