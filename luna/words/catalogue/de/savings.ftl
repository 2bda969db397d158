title = Ersparnis
headline = Luna hat an { $days } { $days ->
        [one] Tag
       *[other] Tagen
    } { $saved } gespart: { $share } des Möglichen.
headline_plain = Luna hat an { $days } { $days ->
        [one] Tag
       *[other] Tagen
    } { $saved } gespart.
headline_worse = Luna hat an { $days } { $days ->
        [one] Tag
       *[other] Tagen
    } { $lost } mehr gekostet.
would_headline = Luna hätte an { $days } { $days ->
        [one] Tag
       *[other] Tagen
    } { $saved } gespart: { $share } des Möglichen.
would_headline_plain = Luna hätte an { $days } { $days ->
        [one] Tag
       *[other] Tagen
    } { $saved } gespart.
would_headline_worse = Luna hätte an { $days } { $days ->
        [one] Tag
       *[other] Tagen
    } { $lost } mehr gekostet.
further = An { $days } { $days ->
        [one] weiterem Tag
       *[other] weiteren Tagen
    } war die Steuerung aus. Luna hätte dann { $saved } gespart.
as_recorded = Luna vergleicht nur Haus und Batterie. Der Rest bleibt wie gemessen: { $devices }.
paid = Kosten des ganzen Zuhauses: { $cost }
earned = Einnahmen des ganzen Zuhauses: { $gain }
paid_unknown = Kosten des ganzen Zuhauses: unbekannt
would_saved = hätte Luna gespart
would_saved_share = hätte Luna gespart · { $share } des Möglichen
would_lost = mehr als ohne Luna, wäre die Steuerung an gewesen
lead = Verglichen mit deinem Zuhause ohne Luna. { $counted } von { $days } Tagen sind berechnet.
until = Bis { $day }
empty_title = Luna hat noch keinen Tag berechnet.
empty_lead = Luna berechnet jeden Tag in der Nacht danach. Dafür braucht Luna vollständige Messwerte und eine Prognose für den Tag.
cost_title = Was Luna spart
cost_note = Lunas Plan und der Wechselrichter allein, berechnet für dieselben gemessenen Tage. Der Ladestand ist am Anfang und Ende gleich.
carbon_note = CO₂ des gekauften Stroms, Viertelstunde für Viertelstunde. Einspeisung zählt nicht.
carbon_missing = CO₂ ist unbekannt: Für diese Tage fehlen die Werte. Lade sie auf der Seite Daten hoch (Inhalt: CO₂ im Netzstrom). Berechne danach die Tage neu.
carbon_partly = Bekannt an { $days } von { $counted } Tagen.
period_yesterday = Gestern
period_day = Letzter Tag
period_week = Letzte 7 Tage
period_month = Letzte 30 Tage
period_empty = Luna hat in diesem Zeitraum keinen Tag berechnet.
saved = gespart
saved_share = gespart · { $share } des Möglichen
lost = mehr als ohne Luna
policy_self_consumption = Ohne Luna
policy_rule = Günstigste Stunden
policy_mpc = Luna
policy_oracle = Bestmöglich
all_policies = Alle Strategien als Tabelle
column_policy = Strategie
column_saved = Gespart
column_carbon = CO₂
daily_title = Gespart pro Tag
key_luna = Luna
key_possible = bestmöglich
key_left_out = nicht berechnet
daily_label = Von Luna gespart pro Tag und was möglich war
daily_title_counted = { $day }: { $saved } gespart, { $possible } möglich
daily_table = Als Tabelle
column_day = Tag
column_possible = Bestmöglich
coverage = { $share } der Tage sind berechnet.
left_out_title = Nicht berechnet
left_excluded = die Daten dieses Tages sind unzuverlässig
left_not_recorded = keine Messwerte oder noch nicht geprüft
left_no_forecast = für diesen Tag gab es keine Prognose
left_gaps = einige Werte von Verbrauch oder Solarstrom fehlen
left_estimated = einige Werte von Verbrauch oder Solarstrom sind geschätzt: Die Summe stimmt, der Zeitpunkt ist unbekannt
left_no_prices = einige Preise dieses Tages fehlen
left_not_replayed = noch nicht berechnet
compute =
    { $days ->
        [one] 1 Tag berechnen
       *[other] { $days } Tage berechnen
    }
compute_lead =
    { $days ->
        [one] 1 gemessener Tag ist noch nicht berechnet.
       *[other] { $days } gemessene Tage sind noch nicht berechnet.
    }
who_title = Wer entschieden hat
who_note = letzte 7 Tage
who_label = Wer entschieden hat, was die Batterie tut, Tag für Tag
who_day = { $day }: { $said }
who_nobody = keine Entscheidung
who_planner = Lunas Plan
who_owner = Du
who_agent = Antares
who_rule = Wechselrichter allein (kein aktueller Plan)
who_length = { $hours } h
who_empty = An diesen Tagen war die Steuerung aus, der Wechselrichter arbeitete allein. Oben siehst du, was Luna gespart hätte.
earlier = Früher
later = Später
span = Gezeigter Zeitraum
