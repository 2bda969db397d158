reason_not_judged = Der Torwächter hat noch nicht darüber geurteilt.
reason_no_artefact = Noch ist kein Agent trainiert.
reason_replay_days = { $days } von { $needed } aufgezeichneten Tagen sind nachgespielt.
reason_shadow_days = Der Agent hat an { $days } von { $needed } Tagen neben dem Planer geplant.
reason_behind =
    { $days ->
        [one] An { $days } Tag könnte der Agent um mehr als 1 % der möglichen Ersparnis teurer sein als der Planer.
       *[other] An { $days } Tagen könnte der Agent um mehr als 1 % der möglichen Ersparnis teurer sein als der Planer.
    }
reason_no_dearer =
    { $days ->
        [one] An { $days } Tag war der Agent nicht teurer als der Planer.
       *[other] An { $days } Tagen war der Agent nicht teurer als der Planer.
    }
reason_cheaper =
    { $days ->
        [one] An { $days } Tag war der Agent sicher günstiger als der Planer.
       *[other] An { $days } Tagen war der Agent sicher günstiger als der Planer.
    }
reason_losing_streak = Zuletzt verlor der Agent gegen den Planer mehr, als Zufall erklärt.
reason_interventions = Die Sicherheitsschicht musste den Agenten zu oft berichtigen.
reason_new_evidence =
    { $days ->
        [one] An { $days } Tag seit dem Entzug war der Agent nicht teurer als der Planer.
       *[other] An { $days } Tagen seit dem Entzug war der Agent nicht teurer als der Planer.
    }
reason_always = Er erreicht kein Gerät.
reason_by_owner = Das wurde von Hand entschieden.
next_train = Der Agent muss trainiert werden.
next_replay =
    { $missing ->
        [one] Noch { $missing } aufgezeichneter Tag muss nachgespielt werden.
       *[other] Noch { $missing } aufgezeichnete Tage müssen nachgespielt werden.
    }
next_shadow =
    { $missing ->
        [one] Der Agent muss noch an { $missing } Tag neben dem Planer planen.
       *[other] Der Agent muss noch an { $missing } Tagen neben dem Planer planen.
    }
next_judge = Der Torwächter urteilt in der nächsten Nacht.
next_improve = Der Agent muss sicherer werden: Noch könnte er teurer sein als der Planer.
next_ask = { $mode } wird angeboten: du kannst es verlangen.
next_prove_again =
    { $missing ->
        [one] { $mode } wurde entzogen. Noch { $missing } Tag im Schatten ohne Verlust bringt es zurück, oder du.
       *[other] { $mode } wurde entzogen. Noch { $missing } Tage im Schatten ohne Verlust bringen es zurück, oder du.
    }
next_restore = { $mode } wurde von Hand entzogen; gib es frei, wenn du es zurückwillst.
next_none = Keiner: Der Agent entscheidet, wo sein Plan sicher und günstiger ist.
mode_shadow = Schatten
mode_export_only = Verkaufen
mode_full_control = Volle Steuerung
verdict_agent_cheaper = Der Plan des Agenten ist sicher und voraussichtlich günstiger.
verdict_mode_is_shadow = Der Agent plant nur neben dem Planer.
verdict_mode_not_offered = Was verlangt ist, hat der Agent noch nicht belegt.
verdict_mode_withdrawn = Dem Agenten wurde die Steuerung entzogen.
verdict_not_cheaper = Der Plan des Agenten ist voraussichtlich nicht günstiger.
verdict_not_safe = Der Plan des Agenten verfehlt eine Grenze, die der des Planers hält.
verdict_no_artefact = Kein Agent ist trainiert, der für diesen Standort planen könnte.
verdict_plan_failed = Der Agent hat keinen Plan gemacht.
verdict_no_verdict = Für das, was der Agent jetzt darf, ist noch kein Plan von ihm beurteilt.
