title = Antares
headline_untrained = Antares hat noch nichts gelernt.
headline_learning = Antares ist aus und lernt noch.
headline_offered = Antares ist bereit: Du kannst ihn einschalten.
headline_export_only = Antares ist an: Er entscheidet, wann die Batterie verkauft.
headline_full_control = Antares ist an: Er entscheidet, was die Batterie tut.
headline_withdrawn = Antares ist aus. Lunas eigener Plan entscheidet.
lead = Antares ist der lernende Assistent. Aus vergangenen Tagen bei dir lernt er, wann sich Laden und Verkaufen lohnt.
would_save =
    { $days ->
        [one] An { $days } Tag hätte Antares { $amount } weniger gekostet als Lunas eigener Plan.
       *[other] An { $days } Tagen hätte Antares { $amount } weniger gekostet als Lunas eigener Plan.
    }
would_cost =
    { $days ->
        [one] An { $days } Tag hätte Antares { $amount } mehr gekostet als Lunas eigener Plan.
       *[other] An { $days } Tagen hätte Antares { $amount } mehr gekostet als Lunas eigener Plan.
    }
next = Nächster Schritt:
turn_on = Antares einschalten
turn_off = Antares ausschalten
road_title = Schritte zur Steuerung
road_note = Luna prüft Antares jede Nacht. { $method }
step_trained = Trainiert
step_replayed = An vergangenen Tagen getestet
step_shadow = Auf Probe
step_offered = Bereit
step_control = Steuert
step_trained_done = mit Daten bis { $day }
step_trained_ahead = mit den Tagen aus deinem Zuhause
step_days = { $days } von { $needed } Tagen
step_offered_done = er hat sich bewährt
step_offered_ahead = sobald er nachweislich so gut ist wie Lunas Plan
step_offered_withdrawn = ausgeschaltet
step_control_ahead = wenn du ihn einschaltest
state_done = erledigt
state_now = jetzt
state_ahead = kommt noch
evidence_title = Belege
evidence_note = Über 0 spart Antares mehr als Lunas Plan. 1 Punkt ist 1{ "\u00A0" }% der möglichen Ersparnis. Der wahre Wert liegt mit 95{ "\u00A0" }% Sicherheit im Bereich.
evidence_replay = Vergangene Tage
evidence_shadow = Tage auf Probe
evidence_both = Beide zusammen
evidence_figures = { $points } Punkte, zwischen { $low } und { $high }
evidence_mode =
    { $days ->
        [one] { $points } Punkte an { $days } Tag, zwischen { $low } und { $high }. Korrekturen durch Lunas Sicherheitsprüfung: { $corrected }.
       *[other] { $points } Punkte an { $days } Tagen, zwischen { $low } und { $high }. Korrekturen durch Lunas Sicherheitsprüfung: { $corrected }.
    }
evidence_none = Noch keine Belege.
evidence_label = Antares verglichen mit Lunas Plan: { $points } Punkte, zwischen { $low } und { $high }
modes_title = Was Antares kann
mode_shadow = Auf Probe bleiben
mode_export_only = Entscheiden, wann die Batterie verkauft
mode_full_control = Entscheiden, was die Batterie tut
gate_active = aktuell
gate_offered = bereit
gate_not_ready = noch nicht
gate_withdrawn = ausgeschaltet
better = nachweislich günstiger als Lunas Plan
train_title = Antares lernen lassen
train_lead = Antares lernt aus den Tagen, die Luna bei dir gemessen hat. Er braucht drei vollständige Wochen. Das Training dauert einige Minuten und steuert kein Gerät.
train = Jetzt trainieren
evaluate = An neuen Tagen testen
evaluate_lead = An bis zu 100 Tagen, die kein Training benutzt hat.
savings_title = Kosten von Haus und Batterie
savings_note = Die Kosten von Haus und Batterie, samt gespeicherter Energie. Gestrichelt: gespart.
savings_none = Luna hat noch keinen Tag für Antares berechnet. Das passiert jede Nacht.
period_yesterday = Gestern
period_week = Letzte 7 Tage
period_month = Letzte 30 Tage
period_days =
    { $of ->
        [one] { $days } von { $of } Tag berechnet
       *[other] { $days } von { $of } Tagen berechnet
    }
period_empty = Luna hat in diesem Zeitraum keinen Tag berechnet.
cheaper = günstiger als Lunas Plan
dearer = teurer als Lunas Plan
between = zwischen { $low } und { $high }
policy_idle = Ungenutzte Batterie
policy_self_consumption = Ohne Luna
policy_mpc = Lunas Plan
policy_oracle = Bestmöglich
days_table = Tag für Tag
column_day = Tag
who_title = Wer heute entschieden hat
who_label = Wer heute entschieden hat, was die Batterie tut
who_planner = Lunas Plan
who_agent = Antares
who_owner = Du
who_rule = Wechselrichter allein
who_nobody = Keine Entscheidung
who_empty = Heute gibt es keine Entscheidungen. Solange die Steuerung aus ist, arbeitet der Wechselrichter allein.
who_table = Jede Viertelstunde mit Grund
column_time = Zeit
column_who = Entschieden von
column_planner = Lunas Plan
column_agent = Antares
column_why = Grund
why_override = Du hast eine eigene Vorgabe gesetzt.
why_no_plan = Es gab keinen Plan.
why_plan_too_old = Der Plan war zu alt.
why_disarmed = Jemand hat die Steuerung ausgeschaltet.
why_site_unreadable = Luna kann die Einstellungen deines Zuhauses nicht lesen.
why_not_acknowledged = Das Gerät hat nicht geantwortet.
why_not_followed = Das Gerät hat den Befehl angenommen, aber etwas anderes getan. Luna lässt es eine Weile in Ruhe.
why_writes_spent = Das Gerät hat heute so viele Befehle bekommen, wie es verträgt. Es läuft jetzt selbstständig.
why_mode_kept = Luna hat den Modus beibehalten: Ein Wechsel spart zu wenig und nutzt den Speicher des Geräts ab.
why_operator_limit = Der Netzbetreiber begrenzt gerade dein Zuhause. Das Gerät bekommt so viel, wie das zulässt.
why_planned = Wie geplant.
why_nobody = Die Steuerung war aus, Luna hat nichts gesendet.
runs_title = Trainings
runs_none = Noch kein Training.
column_kind = Verfahren
column_learned = Daten
column_used = Status
column_card = Einzelheiten
run_speaks = im Einsatz
run_accepted = war im Einsatz
run_rejected = nicht verwendet
run_card = Einzelheiten zeigen
run_card_of = Einzelheiten zeigen: { $kind }, { $day }
run_title = Training: { $kind }
run_back = Zurück zu Antares
run_missing = Luna kann die Einzelheiten nicht zeigen:

# Was ein Training ist, woraus es lernte, wie Luna es prüfte und ob es steuern darf.
card_what = Was es ist
card_what_value = Antares lernt, was eine gespeicherte Kilowattstunde später wert ist.
card_what_imitation = Es lernt aus den besten Plänen vergangener Tage (Entscheidungsbäume).
card_what_network = Es lernt aus den besten Plänen vergangener Tage (neuronales Netz).
card_what_clone = Es lernt aus Lunas vorsichtigen Plänen.
card_what_rl = Es probiert an vergangenen Tagen aus und behält, was sich lohnt.
card_what_all = Damit entscheidet es, wann deine Batterie lädt und verkauft.
card_learned = Woraus es lernte
card_window = Es lernte aus deinem eigenen Zuhause, vom { $start } bis { $end }.
card_days =
    { $days ->
        [one] 1 Tag war vollständig.
       *[other] { $days } Tage waren vollständig.
    }
card_left_out =
    { $days ->
        [one] 1 Tag mit Lücken ließ Luna weg.
       *[other] { $days } Tage mit Lücken ließ Luna weg.
    }
card_tested = Wie Luna es prüfte
card_test = Luna prüfte es an Tagen, die es nicht kannte, und verglich es mit der Version davor.
card_speaks = Es war nicht schlechter. Darum nutzt Luna es.
card_accepted = Es war nicht schlechter. Darum nutzte Luna es. Inzwischen gibt es ein neueres.
card_rejected = Es war schlechter. Darum nutzt Luna es nicht.
card_control = Darf es steuern?
card_no_control = Nein. Luna nutzt dieses Training nicht.
card_figures = Zahlen für Fachleute (auf Englisch)
kind_value = Antares: lernt den Wert gespeicherter Energie
kind_imitation = Ahmt den bestmöglichen Plan nach (Entscheidungsbäume)
kind_network = Ahmt den bestmöglichen Plan nach (neuronales Netz)
kind_clone = Ahmt Lunas vorsichtigen Plan nach
kind_rl = Lernt durch Versuch und Irrtum
picture_title = Einen Tag vergleichen
picture_note = Preis, Batterieleistung, Ladestand und Einspeisung: Lunas Plan, Antares und der bestmögliche Plan.
picture_day = Tag
picture_show = Tag zeigen
picture_unknown = Luna kann diesen Tag nicht zeigen:
picture_none = Es gibt noch keinen vollständig gemessenen Tag.
picture_alt = { $day } mit { $policies }: Preis, Batterieleistung, Ladestand und Einspeisung
picture_untrained = Ohne Antares: Vor dieser Woche gab es kein Training.
column_policy = Strategie
column_cost = Kosten
column_charged = Geladen
column_discharged = Entladen
traded = { $kwh } zu { $price } im Durchschnitt
settings_title = Deine Wahl
settings_note = Luna fragt nach deinem Passwort und hält die Änderung fest.
shadow_label = Lernverfahren
shadow_lightgbm = Antares: lernt den Wert gespeicherter Energie
shadow_rl = Lernt durch Versuch und Irrtum
shadow_imitation = Ahmt den bestmöglichen Plan nach (Entscheidungsbäume)
shadow_network = Ahmt den bestmöglichen Plan nach (neuronales Netz)
shadow_clone = Ahmt Lunas vorsichtigen Plan nach
shadow_save = Verfahren verwenden
shadow_hint = Jedes Verfahren muss sich bewähren. Ein neues beginnt beim ersten Schritt.
mode_label = Antares darf
mode_save = Wahl speichern
mode_sure = Antares darf das entscheiden, sobald er sich bewährt hat. Ich kann ihn jederzeit ausschalten.
mode_unsure = Es hat sich nichts geändert. Setze das Häkchen, damit Antares entscheiden darf.
withdraw_title = Antares ausschalten
withdraw_lead = Innerhalb einer Minute entscheidet wieder Lunas Plan. Antares bleibt auf Probe. Nur du kannst ihn wieder einschalten.
withdraw_sure = Ja, Antares jetzt ausschalten.
withdraw_unsure = Es hat sich nichts geändert. Setze das Häkchen, um Antares auszuschalten.
withdraw = Antares ausschalten
withdrawn_already = Du hast Antares ausgeschaltet ({ $at }). Zum Einschalten wähle, was Antares darf.
done = Gespeichert.
gates_title = Letzte Entscheidungen
gates_none = Noch keine Entscheidungen.
kind_judged = geprüft
kind_asked = gewünscht
kind_withdrawn = ausgeschaltet
kind_restored = wieder eingeschaltet
by_gatekeeper = von Luna
by_person = von { $name }
