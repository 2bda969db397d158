### The camera lab: its controllers, places and seasons, and what the figures of a batch say.

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
metric_objective_wh_per_day = vuile energie per dag met missers meegeteld
metric_miss_share = gemiste taken
metric_clean_share = schoon aandeel
metric_dirty_wh_per_day = vuile energie per dag

# What the figures of a batch say.
insight_nothing = Er is geen volledige run waarover iets te zeggen valt.
insight_stand_in = Hoe schoon het net was, is hier niet gemeten ({ $locations }): waarden van een generator vallen daarvoor in. Dit alles geldt voor die waarden, niet voor de echte plaatsen.
insight_few_weeks = { $weeks } van de minstens { $needed } weken op plaatsen die intervallen en toetsen nodig hebben: hier staat alleen wat er in die weken gebeurde.
insight_runs_missing = Niet elke camera draaide met elke regelaar: van { $cameras } camera’s missen er tot { $most } een run met { $controllers }. Vergeleken wordt waar beide er zijn.
insight_runs_failed = Opgegeven runs: { $runs }. Ze tellen hier in geen enkel getal mee; de rijen failed van de batch zeggen waarom.
insight_oracle_share = { $Controller }: { $value } van het schone aandeel van het orakel{ $span }, in de { $equal } van { $pairs } runs waar beide evenveel taken missen.
insight_oracle_share_unknown = { $Controller }: geen van { $pairs } runs mist evenveel taken als het orakel, dus bij gelijke missers is hun schone energie niet te vergelijken.
insight_compared_lower = { $Controller } tegenover { $other }: { $metric } { $value } lager{ $span }, over { $pairs } paren runs{ $test }.
insight_compared_higher = { $Controller } tegenover { $other }: { $metric } { $value } hoger{ $span }, over { $pairs } paren runs{ $test }.
insight_compared_open = { $Controller } tegenover { $other }: geen aantoonbaar verschil in { $metric }: { $value }{ $span }, over { $pairs } paren runs{ $test }.
insight_compared_same = { $Controller } tegenover { $other }: { $metric } is gelijk, over { $pairs } paren runs.
insight_best = Van alle regelaars die de toekomst niet kennen, deed deze het best: { $controller }, met { $objective } per camera en dag, { $misses } van de taken gemist en { $clean_share } van de energie schoon.
insight_farthest = { $Controller }: het verst van het orakel hier: { $location }, { $season }. Het schone aandeel ligt daar { $gap } lager.
insight_efficiency = Een vervulde taak kost de minste energie hier: { $controller }, { $mwh }; de meeste hier: { $other }, { $other_mwh }.
insight_trend_lower = { $Controller }: { $metric } daalt binnen een run van dag tot dag, met { $value } per dag{ $span }.
insight_trend_higher = { $Controller }: { $metric } stijgt binnen een run van dag tot dag, met { $value } per dag{ $span }.
insight_no_trend = Schone aandelen en missers veranderen binnen een run van dag tot dag niet meer dan toeval verklaart.
insight_damage = Beschadigde rijen, weggelaten: { $rows }. De eerste: { $file }, regel { $line }: { $reason }.

# What stands within such a sentence.
word_span = { " " }({ $low } tot { $high })
word_no_span = { " " }(te weinig weken voor een interval)
word_points = procentpunt
word_test = ; p = { $p }
word_test_small = ; p < { $p }
