### The page Antares: what it does, its evidence, and who decides.

title = Antares

# The top of the page.
headline_untrained = Antares heeft nog niets geleerd.
headline_learning = Antares staat uit en leert nog.
headline_offered = Antares is klaar: je kunt het inschakelen.
headline_export_only = Antares staat aan: het beslist wanneer de batterij verkoopt.
headline_full_control = Antares staat aan: het beslist wat de batterij doet.
headline_withdrawn = Antares staat uit. Het eigen plan van Luna beslist.
lead = Antares is de lerende assistent. Van eerdere dagen bij jou leert het wanneer laden en verkopen loont.
would_save =
    { $days ->
        [one] Op { $days } dag had Antares { $amount } minder gekost dan het eigen plan van Luna.
       *[other] Op { $days } dagen had Antares { $amount } minder gekost dan het eigen plan van Luna.
    }
would_cost =
    { $days ->
        [one] Op { $days } dag had Antares { $amount } meer gekost dan het eigen plan van Luna.
       *[other] Op { $days } dagen had Antares { $amount } meer gekost dan het eigen plan van Luna.
    }
next = Volgende stap:
turn_on = Antares inschakelen
turn_off = Antares uitschakelen

# Its way to control, and the evidence.
road_title = Stappen naar besturing
road_note = Luna controleert Antares elke nacht. { $method }
step_trained = Getraind
step_replayed = Getest op eerdere dagen
step_shadow = Op proef
step_offered = Klaar
step_control = Bestuurt
step_trained_done = met gegevens tot { $day }
step_trained_ahead = met de dagen van je eigen huis
step_days = { $days } van { $needed } dagen
step_offered_done = het heeft zich bewezen
step_offered_ahead = zodra het aantoonbaar zo goed is als het plan van Luna
step_offered_withdrawn = uitgeschakeld
step_control_ahead = als jij het inschakelt
state_done = klaar
state_now = nu
state_ahead = komt nog
evidence_title = Bewijs
evidence_note = Boven 0 bespaart Antares meer dan het plan van Luna. 1 punt is 1% van de mogelijke besparing. De echte waarde ligt met 95% zekerheid in het bereik.
evidence_replay = Eerdere dagen
evidence_shadow = Dagen op proef
evidence_both = Samen
evidence_figures = { $points } punten, tussen { $low } en { $high }
evidence_mode =
    { $days ->
        [one] { $points } punten op { $days } dag, tussen { $low } en { $high }. Correcties door de veiligheidscontrole van Luna: { $corrected }.
       *[other] { $points } punten op { $days } dagen, tussen { $low } en { $high }. Correcties door de veiligheidscontrole van Luna: { $corrected }.
    }
evidence_none = Nog geen bewijs.
evidence_label = Antares vergeleken met het plan van Luna: { $points } punten, tussen { $low } en { $high }
modes_title = Wat Antares kan
mode_shadow = Op proef blijven
mode_export_only = Beslissen wanneer de batterij verkoopt
mode_full_control = Beslissen wat de batterij doet
gate_active = nu
gate_offered = klaar
gate_not_ready = nog niet
gate_withdrawn = uitgeschakeld
better = aantoonbaar goedkoper dan het plan van Luna

# Training.
train_title = Laat Antares leren
train_lead = Antares leert van de dagen die Luna in je huis heeft gemeten. Er zijn drie volledige weken nodig. Trainen duurt enkele minuten en bestuurt geen apparaat.
train = Nu trainen
evaluate = Testen op nieuwe dagen
evaluate_lead = Op maximaal 100 dagen die geen training heeft gebruikt.

# What it would have cost.
savings_title = Kosten van huis en batterij
savings_note = De kosten van huis en batterij, met de opgeslagen energie. Gestreept: bespaard.
savings_none = Luna heeft nog geen dag voor Antares berekend. Dat gebeurt elke nacht.
period_yesterday = Gisteren
period_week = Laatste 7 dagen
period_month = Laatste 30 dagen
period_days =
    { $of ->
        [one] { $days } van { $of } dag berekend
       *[other] { $days } van { $of } dagen berekend
    }
period_empty = Luna heeft van deze periode geen dag berekend.
cheaper = goedkoper dan het plan van Luna
dearer = duurder dan het plan van Luna
between = tussen { $low } en { $high }
policy_idle = Ongebruikte batterij
policy_self_consumption = Zonder Luna
policy_mpc = Plan van Luna
policy_oracle = Best mogelijk
days_table = Dag voor dag
column_day = Dag

# Who decided.
who_title = Wie vandaag besliste
who_label = Wie vandaag besliste wat de batterij deed
who_planner = Plan van Luna
who_agent = Antares
who_owner = Jij
who_rule = Omvormer alleen
who_nobody = Geen beslissing
who_empty = Vandaag zijn er geen beslissingen. Zolang de besturing uit staat, werkt de omvormer alleen.
who_table = Elk kwartier met reden
column_time = Tijd
column_who = Beslist door
column_planner = Plan van Luna
column_agent = Antares
column_why = Reden
why_override = Je hebt zelf iets ingesteld.
why_no_plan = Er was geen plan.
why_plan_too_old = Het plan was te oud.
why_disarmed = De besturing is uitgeschakeld.
why_site_unreadable = Luna kan de instellingen van je huis niet lezen.
why_not_acknowledged = Het apparaat reageerde niet.
why_not_followed = Het apparaat nam de opdracht aan maar deed iets anders. Luna laat het een tijdje met rust.
why_writes_spent = Het apparaat heeft vandaag zoveel opdrachten gekregen als het verdraagt. Het werkt nu zelfstandig.
why_mode_kept = Luna liet de modus staan: wisselen bespaart te weinig en slijt het geheugen van het apparaat.
why_operator_limit = De netbeheerder begrenst je huis. Het apparaat krijgt zoveel als dat toelaat.
why_planned = Zoals gepland.
why_nobody = De besturing stond uit, Luna stuurde niets.

# Its trainings.
runs_title = Trainingen
runs_none = Nog geen training.
column_kind = Methode
column_learned = Gegevens
column_used = Status
column_card = Details
run_speaks = in gebruik
run_accepted = was in gebruik
run_rejected = niet gebruikt
run_card = Details tonen
run_card_of = Details tonen: { $kind }, { $day }
run_title = Training: { $kind }
run_back = Terug naar Antares
run_missing = Luna kan de details niet tonen:

# Wat een training is, waarvan hij leerde, hoe Luna hem testte en of hij mag besturen.
card_what = Wat het is
card_what_value = Antares leert wat een opgeslagen kilowattuur later waard is.
card_what_imitation = Het leert van de beste plannen van voorbije dagen (beslisbomen).
card_what_network = Het leert van de beste plannen van voorbije dagen (neuraal netwerk).
card_what_clone = Het leert van de voorzichtige plannen van Luna.
card_what_rl = Het probeert op voorbije dagen van alles uit en houdt wat loont.
card_what_all = Zo beslist het wanneer je batterij laadt en verkoopt.
card_learned = Waarvan het leerde
card_window = Het leerde van je eigen huis, van { $start } tot { $end }.
card_days =
    { $days ->
        [one] 1 dag was compleet.
       *[other] { $days } dagen waren compleet.
    }
card_left_out =
    { $days ->
        [one] Luna liet 1 dag met gaten weg.
       *[other] Luna liet { $days } dagen met gaten weg.
    }
card_tested = Hoe Luna het testte
card_test = Luna testte het op dagen die het niet kende, en vergeleek het met de versie ervoor.
card_speaks = Het was niet slechter. Daarom gebruikt Luna het.
card_accepted = Het was niet slechter. Daarom gebruikte Luna het. Er is nu een nieuwere.
card_rejected = Het was slechter. Daarom gebruikt Luna het niet.
card_control = Mag het besturen?
card_no_control = Nee. Luna gebruikt deze training niet.
card_figures = Cijfers voor kenners (in het Engels)
kind_value = Antares: leert de waarde van opgeslagen energie
kind_imitation = Bootst het best mogelijke plan na (beslisbomen)
kind_network = Bootst het best mogelijke plan na (neuraal netwerk)
kind_clone = Bootst het voorzichtige plan van Luna na
kind_rl = Leert met vallen en opstaan

# The picture of a day.
picture_title = Eén dag vergelijken
picture_note = Prijs, batterijvermogen, batterijniveau en teruglevering: plan van Luna, Antares en het best mogelijke plan.
picture_day = Dag
picture_show = Dag tonen
picture_unknown = Luna kan deze dag niet tonen:
picture_none = Er is nog geen volledig gemeten dag.
picture_alt = { $day } met { $policies }: prijs, batterijvermogen, batterijniveau en teruglevering
picture_untrained = Zonder Antares: vóór deze week was er geen training.
column_policy = Strategie
column_cost = Kosten
column_charged = Geladen
column_discharged = Ontladen
traded = { $kwh } tegen gemiddeld { $price }

# What the owner decides.
settings_title = Jouw keuze
settings_note = Luna vraagt om je wachtwoord en legt de wijziging vast.
shadow_label = Leermethode
shadow_lightgbm = Antares: leert de waarde van opgeslagen energie
shadow_rl = Leert met vallen en opstaan
shadow_imitation = Bootst het best mogelijke plan na (beslisbomen)
shadow_network = Bootst het best mogelijke plan na (neuraal netwerk)
shadow_clone = Bootst het voorzichtige plan van Luna na
shadow_save = Methode gebruiken
shadow_hint = Elke methode moet zich bewijzen. Een nieuwe begint bij de eerste stap.
mode_label = Antares mag
mode_save = Keuze opslaan
mode_sure = Antares mag dit beslissen zodra het zich heeft bewezen. Ik kan het altijd uitschakelen.
mode_unsure = Luna heeft niets gewijzigd. Zet het vinkje om Antares te laten beslissen.
withdraw_title = Antares uitschakelen
withdraw_lead = Binnen een minuut beslist het plan van Luna weer. Antares blijft op proef. Alleen jij kunt het weer inschakelen.
withdraw_sure = Ja, Antares nu uitschakelen.
withdraw_unsure = Luna heeft niets gewijzigd. Zet het vinkje om Antares uit te schakelen.
withdraw = Antares uitschakelen
withdrawn_already = Je hebt Antares uitgeschakeld ({ $at }). Kies wat Antares mag om het weer in te schakelen.
done = Opgeslagen.
gates_title = Laatste beslissingen
gates_none = Nog geen beslissingen.
kind_judged = gecontroleerd
kind_asked = gevraagd
kind_withdrawn = uitgeschakeld
kind_restored = weer ingeschakeld
by_gatekeeper = door Luna
by_person = door { $name }
