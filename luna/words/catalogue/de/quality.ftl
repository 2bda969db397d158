prices_market = Preise von { $market }
series_load_kwh = Verbrauch
series_pv_kwh = Solarstrom
series_import_kwh = Netzbezug
series_export_kwh = Einspeisung
series_charge_kwh = Batterie geladen
series_discharge_kwh = Batterie entladen
series_soc = Ladestand
series_residual_kwh = Von den Zählern nicht erklärt
series_beyond_house_kwh = Geräte, die der Hauszähler nicht zählt
series_import_price = Strompreis
series_export_price = Einspeisevergütung
fault_coverage = { $series }: Nur { $known } von { $slots } Viertelstunden sind bekannt
fault_silent = { $series } ist unvollständig: { $sensor } sendet seit { $since } keine Werte. Ersetze oder entferne den Sensor in den Einstellungen deines Zuhauses unter Sensoren
fault_unheard = { $series } ist unvollständig: { $sensor } hat noch nie Werte gesendet. Korrigiere den Namen oder entferne den Sensor in den Einstellungen deines Zuhauses unter Sensoren
fault_estimated = { $series }: { $known } von { $slots } Viertelstunden sind geschätzt. Die Tagessumme ist gemessen
fault_repaired = { $series }: { $known } von { $slots } Viertelstunden sind repariert
fault_balance = Die Zähler passen nicht zusammen: { $open } von { $flow } kWh sind ungeklärt
fault_balance_unusual = Die Zähler passen nicht zusammen: { $open } von { $flow } kWh sind ungeklärt, sonst höchstens { $usual } kWh. Stand ein Zähler still, oder ging seine Uhr falsch?
fault_sensor_wrong_sign = { $sensor } ist immer negativ. Ist das Vorzeichen falsch? Setze ein Minus vor den Namen, in den Einstellungen deines Zuhauses unter Sensoren
fault_sensor_thousandfold = { $sensor } meldet tausendmal mehr, als in deinem Zuhause möglich ist. Sendet er Watt statt Kilowatt?
fault_sensor_night = { $sensor } meldet nachts Solarstrom. Ist es der richtige Sensor, und geht seine Uhr richtig?
fault_sensor_means_no_value = { $sensor } hat { $readings }-mal „kein Wert“ gesendet
fault_counted_alone = { $sensor } hat keine Werte gesendet. { $series } zählt nur die anderen Sensoren. Ist es ein alter Sensor? Entferne ihn in den Einstellungen deines Zuhauses unter Sensoren
fault_scaled_down = { $sensor } wirkt tausendmal zu niedrig. Stimmt die Einheit?
fault_scaled_up = { $sensor } wirkt tausendmal zu hoch. Stimmt die Einheit?
fault_frozen = { $sensor } änderte sich { $hours } h lang nicht, aber die anderen Zähler zählten { $missed } kWh. Hängt der Sensor, oder zählt er die andere Richtung?
fault_clock_late = Die Werte von { $sensor } kommen wohl { $hours } h zu spät. Geht die Uhr richtig?
fault_clock_early = Die Werte von { $sensor } kommen wohl { $hours } h zu früh. Geht die Uhr richtig?
fault_turned = „{ $source }“ und „{ $sink }“ wirken vertauscht. Tausche ihre Sensoren in den Einstellungen deines Zuhauses unter Sensoren. Nutzen beide denselben Sensor? Dann setze sein Minus beim anderen Feld
fault_devices_beyond_house =
    { $known ->
        [one] { $series }: { $open } kWh mehr, als der Hauszähler gezählt hat, in { $known } Viertelstunde. Zählt der Hauszähler dieses Gerät mit? Wenn nicht, gib das beim Sensor an, in den Einstellungen deines Zuhauses unter Sensoren
       *[other] { $series }: { $open } kWh mehr, als der Hauszähler gezählt hat, in { $known } Viertelstunden. Zählt der Hauszähler dieses Gerät mit? Wenn nicht, gib das beim Sensor an, in den Einstellungen deines Zuhauses unter Sensoren
    }
fault_devices_beyond_grid =
    { $known ->
        [one] { $series }: { $open } kWh mehr, als das Haus laut Netzzähler verbraucht hat, in { $known } Viertelstunde. Zählt der Netzzähler dieses Gerät mit? Wenn nicht, trag seinen Sensor auch beim Netzbezug ein, in den Einstellungen deines Zuhauses unter Sensoren
       *[other] { $series }: { $open } kWh mehr, als das Haus laut Netzzähler verbraucht hat, in { $known } Viertelstunden. Zählt der Netzzähler dieses Gerät mit? Wenn nicht, trag seinen Sensor auch beim Netzbezug ein, in den Einstellungen deines Zuhauses unter Sensoren
    }
fault_rebuild = { $series }: Gespeichert sind { $before } kWh, neu berechnet sind es { $after } kWh. Prüfe Einheit und Bedeutung des Sensors. Willst du die neuen Werte, übernimm sie bei den zurückgestellten Zeilen
fault_price_gap = { $series }: in { $known } von { $slots } Viertelstunden unbekannt
fault_price_zero = { $series }: in { $known } von { $slots } Viertelstunden null, der Börsenpreis aber nicht
fault_soc_jump =
    { $known ->
        [one] Der Ladestand ändert sich schneller, als die Batterie kann, in { $known } Viertelstunde
       *[other] Der Ladestand ändert sich schneller, als die Batterie kann, in { $known } Viertelstunden
    }
fault_soc_excursion =
    { $known ->
        [one] Der Ladestand liegt in { $known } Viertelstunde um bis zu { $jump }{ "\u00A0" }% daneben und kehrt dann zurück. Hat der Sensor neu gestartet?
       *[other] Der Ladestand liegt in { $known } Viertelstunden um bis zu { $jump }{ "\u00A0" }% daneben und kehrt dann zurück. Hat der Sensor neu gestartet?
    }
fault_soc_stuck = Der Ladestand blieb gleich, obwohl { $flow } kWh geladen oder entladen wurden
fault_soc_reversed = Der Ladestand fällt, während die Batterie lädt ({ $against } von { $moved } kWh). Sind die Sensoren für Laden und Entladen vertauscht? Tausche sie in den Einstellungen deines Zuhauses unter Sensoren
fault_soc_drift = Der Ladestand änderte sich um { $told } kWh, die Zähler zählten aber { $metered } kWh
fault_open = Der Tag ist noch nicht zu Ende
fault_unreadable = Eine andere Version von Luna hat die Gründe gespeichert. Luna kann sie nicht zeigen. Prüfe diesen Monat neu
