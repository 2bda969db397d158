### Where the learning agent stands on the road to control.

# Why a mode of control is offered, or not.
reason_not_judged = De poortwachter heeft hier nog niet over geoordeeld.
reason_no_artefact = Er is nog geen agent getraind.
reason_replay_days = { $days } van { $needed } vastgelegde dagen zijn nagespeeld.
reason_shadow_days = De agent heeft op { $days } van { $needed } dagen naast de planner gepland.
reason_behind =
    { $days ->
        [one] Op { $days } dag kan de agent meer dan 1% van de mogelijke besparing duurder zijn dan de planner.
       *[other] Op { $days } dagen kan de agent meer dan 1% van de mogelijke besparing duurder zijn dan de planner.
    }
reason_no_dearer =
    { $days ->
        [one] Op { $days } dag was de agent niet duurder dan de planner.
       *[other] Op { $days } dagen was de agent niet duurder dan de planner.
    }
reason_cheaper =
    { $days ->
        [one] Op { $days } dag was de agent zeker goedkoper dan de planner.
       *[other] Op { $days } dagen was de agent zeker goedkoper dan de planner.
    }
reason_losing_streak = De laatste tijd verloor de agent meer van de planner dan toeval verklaart.
reason_interventions = De veiligheidslaag moest de agent te vaak bijsturen.
reason_new_evidence =
    { $days ->
        [one] Op { $days } dag sinds de intrekking was de agent niet duurder dan de planner.
       *[other] Op { $days } dagen sinds de intrekking was de agent niet duurder dan de planner.
    }
reason_always = Er wordt geen enkel apparaat bereikt.
reason_by_owner = Dit is met de hand beslist.

# What has to happen next.
next_train = De agent moet worden getraind.
next_replay =
    { $missing ->
        [one] Er moet nog { $missing } vastgelegde dag worden nagespeeld.
       *[other] Er moeten nog { $missing } vastgelegde dagen worden nagespeeld.
    }
next_shadow =
    { $missing ->
        [one] De agent moet nog { $missing } dag naast de planner plannen.
       *[other] De agent moet nog { $missing } dagen naast de planner plannen.
    }
next_judge = De poortwachter oordeelt komende nacht.
next_improve = De agent moet zekerder worden: hij kan nog duurder zijn dan de planner.
next_ask = { $mode } wordt aangeboden: je kunt het aanvragen.
next_prove_again =
    { $missing ->
        [one] { $mode } is ingetrokken. Nog { $missing } dag in de schaduw zonder verlies brengt het terug, of jij doet dat.
       *[other] { $mode } is ingetrokken. Nog { $missing } dagen in de schaduw zonder verlies brengen het terug, of jij doet dat.
    }
next_restore = { $mode } is met de hand ingetrokken; geef het weer vrij als je het terug wilt.
next_none = Niets meer: de agent beslist waar zijn plan veilig en goedkoper is.

# What the agent may do.
mode_shadow = Schaduw
mode_export_only = Verkopen
mode_full_control = Volledige besturing

# Why the agent's plan is followed, or the planner's.
verdict_agent_cheaper = Het plan van de agent is veilig en naar verwachting goedkoper.
verdict_mode_is_shadow = De agent plant alleen mee, naast de planner.
verdict_mode_not_offered = Voor wat is aangevraagd, is het bewijs er nog niet.
verdict_mode_withdrawn = De besturing is de agent afgenomen.
verdict_not_cheaper = Het plan van de agent is naar verwachting niet goedkoper.
verdict_not_safe = Het plan van de agent overschrijdt een grens waar dat van de planner binnen blijft.
verdict_no_artefact = Er is geen agent getraind die voor deze locatie kan plannen.
verdict_plan_failed = De agent heeft geen plan gemaakt.
verdict_no_verdict = Voor wat de agent nu mag, is nog geen plan van hem beoordeeld.
