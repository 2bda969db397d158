### Annahmen eines Plans.

note_soc_assumed = In den 24 Stunden davor kam kein Ladestand. Luna nimmt { $soc } an.
note_soc_earlier = Der letzte Ladestand ist { $soc }, von { $at }.
note_soc_doubted = Der Batteriesensor hat { $soc } ({ $at }) gemeldet, dann { $doubted_soc } ({ $doubted_at }). So schnell kann die Batterie nicht. Luna rechnet mit { $soc }, bis sich der neue Wert bestätigt.
note_soc_stands_still = Der Batteriesensor sendet seit { $since } { $sensor_soc }. Die Zähler haben in der Zeit { $metered_kwh } hinein und { $given_kwh } heraus gezählt. Luna rechnet mit { $soc }. Prüfe den Sensor.
note_soc_outside_limits = Batterie { $battery } beginnt bei { $start_soc }, außerhalb ihrer Grenzen von { $min_soc } bis { $max_soc }.
note_bias_corrected = Die letzten Prognosen lagen zu hoch oder zu niedrig. Zum Ausgleich rechnet Luna den Verbrauch mal { $load_factor } und Solar mal { $pv_factor }.
note_load_beyond_site = Der Verbrauch für { $at } ist mit { $kw } angegeben. Das ist { $times }-mal so viel wie die { $limit_kw } aus Netz, Solar und Batterien. Luna plant damit. Prüfe die Einheit.
note_load_beyond_homes = Der Verbrauch für { $at } ist mit { $kw } angegeben. Kein Haus verbraucht { $limit_kw }. Luna plant damit. Prüfe die Einheit, oder trag die Grenze deines Anschlusses ein.
note_pv_beyond_arrays = Solar für { $at } ist mit { $kw } angegeben. Das ist { $times }-mal so viel wie die { $limit_kw } deiner Anlage. Luna plant damit. Prüfe die Einheit oder die Spitzenleistung.
note_price_beyond_markets = { $series } für { $at } ist { $price } je kWh. Kein bekannter Preis geht über { $known_price } hinaus. Luna plant damit. Prüfe die Einheit.
note_prices_beyond_last_week = Die kommenden Preise reichen bis { $price }, { $times }-mal so viel wie die { $known_price } der letzten Woche. Luna plant damit. Prüfe die Einheit.
note_inverter_alone = Luna hat nicht rechtzeitig einen Plan gefunden. Die Batterien decken deinen Eigenverbrauch wie ohne Luna.
note_plan_improved = Nach längerem Rechnen verbessert: { $saved } günstiger.
note_plan_found = Luna hat jetzt einen besseren Plan gefunden. Zuerst war die Zeit zu kurz.
note_not_confirmed = Der Plan zeigt, was simulierte Geräte tun. Sie verhalten sich anders als im ersten Plan. Bitte melde das: { $found }
note_tariff_default = Für dein Zuhause fehlt der Tarif. Luna nimmt { $import_price } fürs Kaufen und { $export_price } fürs Verkaufen an. Trag deinen Tarif ein.
note_prices_unused = Du hast Preise geladen ({ $series }), aber dein Tarif legt sie schon fest ({ $kinds }). Luna nutzt deine nicht. Stell dafür den Tarif auf geladene Preise um (kind: series).
note_prices_carried_on = Preise sind bis { $since } bekannt. Danach wiederholt Luna die des letzten bekannten Tages.
note_prices_typical = Preise von { $markets } fehlen ab { $since }. Luna plant mit typischen Preisen für Monat und Stunde, wie in { $like }. Echte Preise ersetzen sie.
note_prices_stale = Seit { $since } sind keine neuen Preise von { $markets } gekommen. Luna plant mit der letzten Prognose. Prüfe die Verbindung zu deinem Anbieter.
note_prices_outdone = Prognosen von { $markets } lagen in den letzten Tagen um { $source_error } je kWh daneben. Lunas eigene Preise lagen nur { $own_error } daneben. Ab { $hours } h im Voraus plant Luna mit den eigenen.
note_prices_proven = Luna plant mit den Prognosen von { $markets }. In den letzten Tagen lagen sie um { $source_error } je kWh daneben, Lunas eigene Preise um { $own_error }.
note_forecast_fallback = { $active } hat keine aktuelle Prognose. Luna nutzt { $version }, erstellt { $issued_at }.
note_forecast_old = Luna nutzt die Prognose { $version }, erstellt { $issued_at }. Eine neuere gibt es nicht.
note_forecast_awaits_proof = Luna nutzt die Prognose { $version }. { $candidate } ist trainiert: { $days } von { $needed } Tagen sind geprüft{ $earliest }.
note_forecast_not_better =
    { $days ->
        [one] Luna nutzt die Prognose { $version }. { $candidate } ist trainiert und war an einem geprüften Tag nicht besser.
       *[other] Luna nutzt die Prognose { $version }. { $candidate } ist trainiert und war an { $days } geprüften Tagen nicht besser.
    }
note_limited_devices = Von { $at } { $until } dürfen deine Geräte zusammen höchstens { $kw } aus dem Netz beziehen.
note_limited_import = Von { $at } { $until } darf dein Zuhause höchstens { $kw } aus dem Netz beziehen.
note_limited_export = Von { $at } { $until } darf dein Zuhause höchstens { $kw } einspeisen.

# Wann eine Begrenzung des Netzbetreibers endet.
until_known = bis { $at }
until_open = bis auf Weiteres

# Ab wann eine trainierte Prognose übernehmen kann, falls bekannt.
earliest_known = , ab { $day } kann sie übernehmen

# Warum eine Regel gilt.
rule_vacation = Niemand ist zu Hause.
rule_outage = Von { $first } bis { $last } gilt eine Warnung.
rule_price_extremes = Die Preise des Tages ab { $first } sind extremer als an { $share } der letzten { $days } Tage.
rule_s_index_cold = Sicherheitszuschlag { $factor }: Solar deckt { $share } des Verbrauchs nicht, die Kälte erreicht { $cold } des kältesten Tages.
rule_s_index = Sicherheitszuschlag { $factor }: Solar deckt { $share } des Verbrauchs nicht. Die Temperatur ist unbekannt.
