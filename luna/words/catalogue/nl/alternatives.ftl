### What an alternative to a plan comes to.

# What is done instead, as it stands within a sentence.
does_self_consumption = Het huis volgen
does_save = Alleen overschot opslaan
does_supply = Alleen het huis voeden
does_hold = Vasthouden
does_charge = Laden
does_export = Verkopen
does_on = Laten draaien
does_off = Uit laten

# From when on, and what it comes to.
at = { $what } vanaf { $time } ({ $device })
cost_more = zou { $money } meer kosten
cost_same = zou evenveel kosten
cost_less = zou { $money } minder kosten
changes =
    { $count ->
        [0] verder verandert er niets
        [one] er verandert nog één kwartier, { $time }
       *[other] er veranderen nog { $shown } kwartieren, het eerste { $time }
    }
variant =
    { $count ->
        [one] { $name } { $money }; er verandert één kwartier.
       *[other] { $name } { $money }; er veranderen { $shown } kwartieren.
    }

# What days cost, and what a year saves; by so many days where they are not a year: a season says little of the others.
saves = { $name } bespaart { $value } per jaar{ $basis }
costs = { $name } kost { $value } per jaar meer{ $basis }
interval = { " " }(95%: { $low } tot { $high })
baseline =
    { $days ->
        [one] { $days } dag met de locatie zoals die is: een rekening van { $bill }
       *[other] { $days } dagen met de locatie zoals die is: een rekening van { $bill }
    }
basis =
    { $days ->
        [one] , op grond van { $days } dag
       *[other] , op grond van { $days } dagen
    }
payback_after = ; de investering is in { $value } jaar terugverdiend
payback_interval = { " " }({ $low } tot { $high })
payback_earliest = { " " }(op zijn vroegst { $low })
payback_never = ; de investering wordt nooit terugverdiend
payback_beyond = ; de investering is in { $value } jaar niet terugverdiend

# Over days that say nothing of a year; and what an investment would need.
days_less =
    { $days ->
        [one] { $name } bespaart { $money } in { $days } dag.
       *[other] { $name } bespaart { $money } in { $days } dagen.
    }
days_same =
    { $days ->
        [one] { $name } komt in { $days } dag op hetzelfde uit.
       *[other] { $name } komt in { $days } dagen op hetzelfde uit.
    }
days_more =
    { $days ->
        [one] { $name } kost { $money } meer in { $days } dag.
       *[other] { $name } kost { $money } meer in { $days } dagen.
    }
days_few = { " " }Wat een jaar bespaart en wanneer een investering is terugverdiend, is pas na minstens { $least } dagen te zeggen.

# How that comes about: the bill, and what the charge at the end is worth.
bill_less = De rekening is { $money } lager
bill_same = De rekening blijft gelijk
bill_more = De rekening is { $money } hoger
end_less = wat aan het eind in de batterij zit, is { $money } minder waard
end_more = wat aan het eind in de batterij zit, is { $money } meer waard
gain_less = ; aan het eind zit er { $money } minder in de batterijen dan aan het begin
gain_more = ; aan het eind zit er { $money } meer in de batterijen dan aan het begin
