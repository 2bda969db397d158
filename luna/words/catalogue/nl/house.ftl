### The house now.

# What a figure rests on.
basis_measured = gemeten
basis_planned = gepland
basis_assumed = aangenomen

# What happens and why, what comes next, what days cost and save, when the car leaves.
house_no_plan = Er geldt nu geen plan.
house_fault = Bij de laatste poging, { $tried }: { $why }
house_would = Er wordt niets naar je apparaten verstuurd; dit is wat Luna zou doen.
house_silent = { $device } heeft de opdracht van { $at } niet bevestigd en gaat zijn eigen gang; wat volgt, is het plan.
house_disobeys = { $device } heeft de opdracht van { $at } aangenomen, doet iets anders en gaat zijn eigen gang; wat volgt, is het plan.
house_spared = { $device } is zo vaak beschreven als zijn geheugen per dag verdraagt en gaat zijn eigen gang; wat volgt, is het plan.
house_kept = { $device } gaat verder zoals vóór { $at }, omdat een wisseling te weinig oplevert voor de slijtage van het geheugen; wat volgt, is het plan.
house_level = { $note }
house_unknown = Wat het huis verbruikt, is sinds { $at } niet bekend.
house_now = Nu, tot { $end }: { $mode }. { $reason }
house_now_each = { $device } nu, tot { $end }: { $mode }. { $reason }
house_next = Vanaf { $begin }: { $mode }. { $reason }
house_next_each = { $device } vanaf { $begin }: { $mode }. { $reason }
house_filled = De batterij is zo vol als de bedoeling is.
house_filled_each = { $device } is zo vol als de bedoeling is.
house_drained = De batterij is zo leeg als de bedoeling is.
house_drained_each = { $device } is zo leeg als de bedoeling is.
house_use = { $device } neemt van { $begin } tot { $end } { $kwh } af voor { $cost } ({ $basis }).
house_car = { $device } komt aan met { $arrives } ({ $arrives_basis }) en vertrekt met { $leaves } ({ $basis }): { $end }.
house_stored = De batterij is voor { $soc } vol ({ $basis }).
house_stored_each = { $device } is voor { $soc } vol ({ $basis }).
house_stored_at = De batterij was voor { $soc } vol ({ $basis } { $at }).
house_stored_at_each = { $device } was voor { $soc } vol ({ $basis } { $at }).
house_paid_today = Tot nu toe betaalde je vandaag { $cost } voor energie ({ $basis }).
house_cost_today = Tot middernacht wordt het { $cost } ({ $basis }).
house_paid_yesterday = Gisteren betaalde je { $cost } ({ $basis }).
house_would_save_today = Vergeleken met alleen de omvormer zou Luna vandaag { $saved } besparen ({ $basis }).
house_saved_today = Vergeleken met alleen de omvormer bespaart de batterij vandaag { $saved } ({ $basis }).
house_saved_yesterday = Gisteren was dat { $saved } ({ $basis }).

# Why batteries do something else than was planned of the slot that runs.
level_decided = Zo vol als de batterij nu is, is dit beter dan wat gepland was.
