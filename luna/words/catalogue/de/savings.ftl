title = Ersparnis
headline =
    { $days ->
        [one] Luna hat in { $days } Tag { $saved } gespart: { $share } des Möglichen.
       *[other] Luna hat in { $days } Tagen { $saved } gespart: { $share } des Möglichen.
    }
headline_plain =
    { $days ->
        [one] Luna hat in { $days } Tag { $saved } gespart.
       *[other] Luna hat in { $days } Tagen { $saved } gespart.
    }
headline_worse =
    { $days ->
        [one] Luna hat in { $days } Tag { $lost } mehr gekostet.
       *[other] Luna hat in { $days } Tagen { $lost } mehr gekostet.
    }
lead = Verglichen mit diesem Haus ohne Luna. { $counted } von { $days } Tagen sind gezählt.
until = Gezählt bis { $day }
empty_title = Noch ist kein Tag gezählt.
empty_lead = Ein Tag zählt, sobald er ganz gemessen, für ihn eine Prognose erstellt und jede Strategie auf ihm nachgerechnet ist.
cost_title = Was Energie gekostet hat
cost_note = jede Strategie auf denselben gemessenen Tagen nachgerechnet, gleicher Ladestand am Anfang und Ende · gestrichelt: gespart
carbon_note = Strommix je Viertelstunde × Bezug; Einspeisung zählt nicht
carbon_missing = Nicht bekannt: Nichts sagt, wie sauber das Netz an diesen Tagen war. Lade den Strommix als Datei der Art carbon und zähle die Tage neu.
carbon_partly = bekannt an { $days } von { $counted } Tagen
period_yesterday = Gestern
period_day = Letzter Tag
period_week = Letzte 7 Tage
period_month = Letzte 30 Tage
period_empty = Kein Tag davon ist gezählt.
saved = gespart
saved_share = gespart · { $share } des Möglichen
lost = mehr als ohne Luna
policy_self_consumption = Ohne Luna
policy_rule = Günstigste Stunden
policy_mpc = Luna
policy_oracle = Alles vorher gewusst
all_policies = Alle Strategien als Tabelle
column_policy = Strategie
column_cost = Kosten
column_saved = Gespart
column_carbon = CO₂
daily_title = Gespart je Tag
key_luna = Luna
key_possible = möglich
key_left_out = nicht gezählt
daily_label = Von Luna gespart je Tag, daneben das Mögliche
daily_title_counted = { $day }: { $saved } gespart, { $possible } möglich
daily_table = Als Tabelle
column_day = Tag
column_possible = Möglich
coverage = Abdeckung { $share }.
left_out_title = Nicht gezählt
left_excluded = seinen Daten ist nicht zu trauen
left_not_recorded = nichts aufgezeichnet, oder der Tag wurde noch nicht beurteilt
left_no_forecast = an diesem Tag wurde keine Prognose erstellt
left_gaps = einzelne Viertelstunden von Verbrauch oder Solarstrom sind unbekannt
left_estimated = einzelne Viertelstunden von Verbrauch oder Solarstrom sind geschätzt: Ihre Summe ist die des Zählers, ihr Verlauf ist unbekannt
left_no_prices = einzelne Preise dieses Tages sind unbekannt
left_not_replayed = noch nicht gezählt
compute =
    { $days ->
        [one] 1 Tag jetzt zählen
       *[other] { $days } Tage jetzt zählen
    }
compute_lead =
    { $days ->
        [one] 1 Tag ist gemessen und noch nicht gezählt.
       *[other] { $days } Tage sind gemessen und noch nicht gezählt.
    }
who_title = Wer entschieden hat
who_note = letzte 7 Tage
who_label = Wer entschieden hat, was die Batterie tut, Tag für Tag
who_day = { $day }: { $said }
who_nobody = nichts entschieden
who_planner = Lunas Plan
who_owner = Du
who_agent = Antares
who_rule = Wechselrichter allein (kein frischer Plan)
who_length = { $hours } h
who_empty = An diesen Tagen hat Luna nichts entschieden: Die Anlage war nicht scharf geschaltet, der Wechselrichter ging seinen eigenen Weg. Oben steht, was Lunas Pläne gespart hätten.
earlier = Früher
later = Später
span = Gezeigte Spanne
