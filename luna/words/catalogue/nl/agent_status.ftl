### Where the learning assistant stands on its way to control.

# Why a mode of control is ready, or not.
reason_not_judged = Luna heeft Antares nog niet gecontroleerd.
reason_no_artefact = Antares is nog niet getraind.
reason_replay_days = Antares is getest op { $days } van { $needed } eerdere dagen.
reason_shadow_days = Antares was { $days } van de { $needed } dagen op proef.
reason_behind =
    { $days ->
        [one] Na { $days } dag kan Antares meer kosten dan het plan van Luna: meer dan 1% van de mogelijke besparing.
       *[other] Na { $days } dagen kan Antares meer kosten dan het plan van Luna: meer dan 1% van de mogelijke besparing.
    }
reason_no_dearer =
    { $days ->
        [one] Na { $days } dag kost Antares niet meer dan het plan van Luna.
       *[other] Na { $days } dagen kost Antares niet meer dan het plan van Luna.
    }
reason_cheaper =
    { $days ->
        [one] Na { $days } dag is Antares aantoonbaar goedkoper dan het plan van Luna.
       *[other] Na { $days } dagen is Antares aantoonbaar goedkoper dan het plan van Luna.
    }
reason_losing_streak = Antares heeft de laatste dagen duidelijk meer gekost dan het plan van Luna.
reason_interventions = De veiligheidscontrole van Luna moest Antares te vaak corrigeren.
reason_new_evidence =
    { $days ->
        [one] Sinds het uitschakelen had Antares niet meer gekost dan het plan van Luna ({ $days } dag).
       *[other] Sinds het uitschakelen had Antares niet meer gekost dan het plan van Luna ({ $days } dagen).
    }
reason_always = Antares bestuurt geen apparaat.
reason_by_owner = Dit heb jij beslist.

# What has to happen next.
next_train = Train Antares.
next_replay =
    { $missing ->
        [one] Luna test Antares nog op { $missing } eerdere dag.
       *[other] Luna test Antares nog op { $missing } eerdere dagen.
    }
next_shadow =
    { $missing ->
        [one] Antares blijft nog { $missing } dag op proef.
       *[other] Antares blijft nog { $missing } dagen op proef.
    }
next_judge = Luna controleert Antares vannacht.
next_improve = Antares moet beter worden: het kan nog meer kosten dan het plan van Luna.
next_ask = { $mode } is klaar. Je kunt het inschakelen.
next_prove_again =
    { $missing ->
        [one] { $mode } is uitgeschakeld. Na { $missing } goede dag op proef schakelt Luna het in, of jij doet dat.
       *[other] { $mode } is uitgeschakeld. Na { $missing } goede dagen op proef schakelt Luna het in, of jij doet dat.
    }
next_restore = Met de hand uitgeschakeld: { $mode }. Je kunt het weer inschakelen.
next_none = Antares blijft beslissen waar zijn plan veilig en goedkoper is.

# What Antares may do.
mode_shadow = Proef
mode_export_only = Verkopen
mode_full_control = Volledige besturing

# Why Antares' plan is followed, or Luna's.
verdict_agent_cheaper = Het plan van Antares is veilig en kost naar verwachting minder.
verdict_mode_is_shadow = Antares is alleen op proef.
verdict_mode_not_offered = Antares heeft zich nog niet bewezen.
verdict_mode_withdrawn = Antares is uitgeschakeld.
verdict_not_cheaper = Het plan van Antares kost naar verwachting niet minder.
verdict_not_safe = Het plan van Antares overschrijdt een grens. Het plan van Luna doet dat niet.
verdict_no_artefact = Antares is niet getraind voor dit huis.
verdict_plan_failed = Antares heeft geen plan gemaakt.
verdict_no_verdict = Luna heeft nog geen plan van Antares gecontroleerd.
