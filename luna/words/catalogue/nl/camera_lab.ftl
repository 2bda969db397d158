### The camera lab: its controllers, places and seasons, and the results of a batch.

controller_naive_weak = kleinste model
controller_naive_strong = grootste model
controller_rule = regel
controller_custom = geleerde regelaar
controller_ensemble = ensemble
controller_oracle = orakel
location_CA = Californië
location_FL = Florida
location_NW = Noordwesten
location_NY = New York
season_winter = winter
season_spring = lente
season_summer = zomer
season_fall = herfst

# Figures, within a sentence.
metric_objective_wh_per_day = vuile energie per dag, missers meegeteld
metric_miss_share = gemiste taken
metric_clean_share = schoon aandeel
metric_dirty_wh_per_day = vuile energie per dag

# Results of a batch.
insight_nothing = Geen run is volledig, dus zijn er geen resultaten.
insight_stand_in = Hoe schoon het net was, is hier niet gemeten: { $locations }. De resultaten gelden voor gesimuleerde waarden, niet voor de echte plaatsen.
insight_few_weeks = { $weeks } van minstens { $needed } weken zijn er. Intervallen en toetsen hebben meer weken nodig.
insight_runs_missing = Sommige runs ontbreken: tot { $most } van { $cameras } camera’s hebben er geen met { $controllers }. Alleen camera’s met beide worden vergeleken.
insight_runs_failed = Mislukte runs: { $runs }. De resultaten laten ze weg; de rijen failed van de batch tonen de redenen.
insight_oracle_share = { $Controller }: { $value } van het schone aandeel van het orakel{ $span }, in { $equal } van { $pairs } runs met evenveel missers.
insight_oracle_share_unknown = { $Controller }: geen vergelijking met het orakel, want geen van { $pairs } runs heeft evenveel missers.
insight_compared_lower = { $Controller } tegenover { $other }: { $metric } { $value } lager{ $span }, over { $pairs } paren runs{ $test }.
insight_compared_higher = { $Controller } tegenover { $other }: { $metric } { $value } hoger{ $span }, over { $pairs } paren runs{ $test }.
insight_compared_open = { $Controller } tegenover { $other }: geen duidelijk verschil in { $metric }: { $value }{ $span }, over { $pairs } paren runs{ $test }.
insight_compared_same = { $Controller } tegenover { $other }: { $metric } is gelijk, over { $pairs } paren runs.
insight_best = Beste regelaar zonder de toekomst te kennen: { $controller }. Hij gebruikt { $objective } per camera en dag, mist { $misses } van de taken, en { $clean_share } van de energie is schoon.
insight_farthest = { $Controller }: het verst van het orakel: { $location }, { $season }. Het schone aandeel is daar { $gap } lager.
insight_efficiency = Minste energie per taak: { $controller }, { $mwh }. Meeste: { $other }, { $other_mwh }.
insight_trend_lower = { $Controller }: { $metric } daalt binnen een run, met { $value } per dag{ $span }.
insight_trend_higher = { $Controller }: { $metric } stijgt binnen een run, met { $value } per dag{ $span }.
insight_no_trend = Schone aandelen en missers veranderen binnen een run niet duidelijk van dag tot dag.
insight_damage = Beschadigde rijen: { $rows }. De eerste is { $file }, regel { $line }.

# Parts of such sentences.
word_span = { " " }({ $low } tot { $high })
word_no_span = { " " }(te weinig weken voor een interval)
word_points = procentpunt
word_test = ; p = { $p }
word_test_small = ; p < { $p }
