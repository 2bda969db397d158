### Wat een alternatief voor het plan kost en wat een verandering aan het huis bespaart.

# Wat het apparaat in plaats daarvan doet: de namen van de modi.
does_self_consumption = Eigen gebruik
does_save = Zonnestroom opslaan
does_supply = Huis voeden
does_hold = Pauze
does_charge = Laden
does_export = Verkopen
does_on = Aan
does_off = Uit

# Wanneer het begint, wat het kost en wat er verder verandert.
at = Alternatief “{ $what }” vanaf { $time } ({ $device })
cost_more = { $money } meer
cost_same = geen verschil
cost_less = { $money } minder
changes =
    { $count ->
        [0] verder verandert er niets
        [one] één ander kwartier verandert, { $time }
       *[other] { $shown } andere kwartieren veranderen, het eerste { $time }
    }
variant =
    { $count ->
        [one] { $name }: { $money }; één kwartier verandert.
       *[other] { $name }: { $money }; { $shown } kwartieren veranderen.
    }

# Besparing per jaar en terugverdientijd; minder dagen dan een jaar worden genoemd.
saves = { $name } bespaart { $value } per jaar{ $basis }
costs = { $name } kost { $value } meer per jaar{ $basis }
interval = { " " }(95% zeker: { $low } tot { $high })
baseline =
    { $days ->
        [one] Je huis zoals het is: een rekening van { $bill } in { $days } dag
       *[other] Je huis zoals het is: een rekening van { $bill } in { $days } dagen
    }
basis =
    { $days ->
        [one] , berekend uit { $days } dag
       *[other] , berekend uit { $days } dagen
    }
payback_after =
    { $value ->
        [one] ; het verdient zich terug in { $value } jaar
       *[other] ; het verdient zich terug in { $value } jaar
    }
payback_interval = { " " }({ $low } tot { $high })
payback_earliest = { " " }(op zijn vroegst { $low })
payback_never = ; het verdient zich nooit terug
payback_beyond =
    { $value ->
        [one] ; het verdient zich niet terug binnen { $value } jaar
       *[other] ; het verdient zich niet terug binnen { $value } jaar
    }

# Besparing over maar een paar dagen.
days_less =
    { $days ->
        [one] { $name } bespaart { $money } in { $days } dag.
       *[other] { $name } bespaart { $money } in { $days } dagen.
    }
days_same =
    { $days ->
        [one] { $name } maakt in { $days } dag geen verschil.
       *[other] { $name } maakt in { $days } dagen geen verschil.
    }
days_more =
    { $days ->
        [one] { $name } kost { $money } meer in { $days } dag.
       *[other] { $name } kost { $money } meer in { $days } dagen.
    }
days_few = { " " }Voor een jaar en de terugverdientijd heeft Luna minstens { $least } dagen nodig.

# Waar het verschil vandaan komt: de rekening en de energie die in de batterij blijft.
bill_less = De rekening is { $money } lager
bill_same = De rekening is gelijk
bill_more = De rekening is { $money } hoger
end_less = de energie in de batterij is aan het eind { $money } minder waard
end_more = de energie in de batterij is aan het eind { $money } meer waard
gain_less = ; in de batterij zit aan het eind voor { $money } minder energie dan aan het begin
gain_more = ; in de batterij zit aan het eind voor { $money } meer energie dan aan het begin
