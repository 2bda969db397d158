### Was eine Alternative zum Plan kostet und was eine Änderung am Zuhause spart.

# Was das Gerät stattdessen tut: die Namen der Betriebsarten.
does_self_consumption = Eigenverbrauch
does_save = Solarstrom speichern
does_supply = Haus versorgen
does_hold = Pause
does_charge = Laden
does_export = Verkaufen
does_on = An
does_off = Aus

# Wann sie beginnt, was sie kostet und was sich sonst ändert.
at = Alternative „{ $what }“ ab { $time } ({ $device })
cost_more = { $money } mehr
cost_same = kein Unterschied
cost_less = { $money } weniger
changes =
    { $count ->
        [0] sonst ändert sich nichts
        [one] eine weitere Viertelstunde ändert sich, { $time }
       *[other] { $shown } weitere Viertelstunden ändern sich, die erste { $time }
    }
variant =
    { $count ->
        [one] { $name }: { $money }; eine Viertelstunde ändert sich.
       *[other] { $name }: { $money }; { $shown } Viertelstunden ändern sich.
    }

# Ersparnis im Jahr und Amortisation; weniger Tage als ein Jahr werden genannt.
saves = { $name } spart { $value } im Jahr{ $basis }
costs = { $name } kostet { $value } mehr im Jahr{ $basis }
interval = { " " }(zu 95{ "\u00A0" }% sicher: { $low } bis { $high })
baseline =
    { $days ->
        [one] Dein Zuhause, wie es ist: { $bill } Stromkosten in { $days } Tag
       *[other] Dein Zuhause, wie es ist: { $bill } Stromkosten in { $days } Tagen
    }
basis =
    { $days ->
        [one] , berechnet aus { $days } Tag
       *[other] , berechnet aus { $days } Tagen
    }
payback_after =
    { $value ->
        [one] ; das rechnet sich nach einem Jahr
       *[other] ; das rechnet sich nach { $value } Jahren
    }
payback_interval = { " " }({ $low } bis { $high })
payback_earliest = { " " }(frühestens { $low })
payback_never = ; das rechnet sich nie
payback_beyond =
    { $value ->
        [one] ; das rechnet sich auch in einem Jahr nicht
       *[other] ; das rechnet sich auch in { $value } Jahren nicht
    }

# Ersparnis über nur wenige Tage.
days_less =
    { $days ->
        [one] { $name } spart { $money } in { $days } Tag.
       *[other] { $name } spart { $money } in { $days } Tagen.
    }
days_same =
    { $days ->
        [one] { $name } macht in { $days } Tag keinen Unterschied.
       *[other] { $name } macht in { $days } Tagen keinen Unterschied.
    }
days_more =
    { $days ->
        [one] { $name } kostet { $money } mehr in { $days } Tag.
       *[other] { $name } kostet { $money } mehr in { $days } Tagen.
    }
days_few = { " " }Für ein Jahr und die Amortisation braucht Luna mindestens { $least } Tage.

# Woraus der Unterschied entsteht: die Stromkosten und die Energie, die in der Batterie bleibt.
bill_less = Die Stromkosten sind { $money } niedriger
bill_same = Die Stromkosten sind gleich
bill_more = Die Stromkosten sind { $money } höher
end_less = die Energie in der Batterie ist am Ende { $money } weniger wert
end_more = die Energie in der Batterie ist am Ende { $money } mehr wert
gain_less = ; in der Batterie ist am Ende Energie für { $money } weniger als am Anfang
gain_more = ; in der Batterie ist am Ende Energie für { $money } mehr als am Anfang
