reason_not_judged = Luna hat Antares noch nicht geprüft.
reason_no_artefact = Antares ist noch nicht trainiert.
reason_replay_days = Luna hat Antares an { $days } von { $needed } vergangenen Tagen getestet.
reason_shadow_days = Antares war { $days } von { $needed } Tagen auf Probe.
reason_behind =
    { $days ->
        [one] Nach { $days } Tag könnte Antares mehr kosten als Lunas Plan: über 1{ "\u00A0" }% der möglichen Ersparnis.
       *[other] Nach { $days } Tagen könnte Antares mehr kosten als Lunas Plan: über 1{ "\u00A0" }% der möglichen Ersparnis.
    }
reason_no_dearer =
    { $days ->
        [one] Nach { $days } Tag kostet Antares nicht mehr als Lunas Plan.
       *[other] Nach { $days } Tagen kostet Antares nicht mehr als Lunas Plan.
    }
reason_cheaper =
    { $days ->
        [one] Nach { $days } Tag ist Antares nachweislich günstiger als Lunas Plan.
       *[other] Nach { $days } Tagen ist Antares nachweislich günstiger als Lunas Plan.
    }
reason_losing_streak = Antares hat in den letzten Tagen deutlich mehr gekostet als Lunas Plan.
reason_interventions = Lunas Sicherheitsprüfung musste Antares zu oft korrigieren.
reason_new_evidence =
    { $days ->
        [one] Seit dem Ausschalten hätte Antares nicht mehr gekostet als Lunas Plan ({ $days } Tag).
       *[other] Seit dem Ausschalten hätte Antares nicht mehr gekostet als Lunas Plan ({ $days } Tage).
    }
reason_always = Antares steuert kein Gerät.
reason_by_owner = Das hast du entschieden.
next_train = Trainiere Antares.
next_replay =
    { $missing ->
        [one] Luna testet Antares noch an einem vergangenen Tag.
       *[other] Luna testet Antares noch an { $missing } vergangenen Tagen.
    }
next_shadow =
    { $missing ->
        [one] Antares bleibt noch { $missing } Tag auf Probe.
       *[other] Antares bleibt noch { $missing } Tage auf Probe.
    }
next_judge = Luna prüft Antares heute Nacht.
next_improve = Antares muss besser werden: Er könnte noch mehr kosten als Lunas Plan.
next_ask = { $mode } ist bereit. Du kannst es einschalten.
next_prove_again =
    { $missing ->
        [one] { $mode } ist ausgeschaltet. Nach einem guten Tag auf Probe schaltet Luna es ein, oder du tust es.
       *[other] { $mode } ist ausgeschaltet. Nach { $missing } guten Tagen auf Probe schaltet Luna es ein, oder du tust es.
    }
next_restore = Von Hand ausgeschaltet: { $mode }. Du kannst es wieder einschalten.
next_none = Antares entscheidet weiter, wo sein Plan sicher und günstiger ist.
mode_shadow = Probe
mode_export_only = Verkaufen
mode_full_control = Volle Steuerung
verdict_agent_cheaper = Der Plan von Antares ist sicher und kostet voraussichtlich weniger.
verdict_mode_is_shadow = Antares ist nur auf Probe.
verdict_mode_not_offered = Antares hat sich noch nicht bewährt.
verdict_mode_withdrawn = Antares ist ausgeschaltet.
verdict_not_cheaper = Der Plan von Antares kostet voraussichtlich nicht weniger.
verdict_not_safe = Der Plan von Antares verletzt eine Grenze. Lunas Plan hält sie ein.
verdict_no_artefact = Antares ist für dieses Zuhause nicht trainiert.
verdict_plan_failed = Antares hat keinen Plan gemacht.
verdict_no_verdict = Luna hat noch keinen Plan von Antares geprüft.
