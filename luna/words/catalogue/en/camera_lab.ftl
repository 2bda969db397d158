### The camera lab: its controllers, places and seasons, and what the figures of a batch say.

controller_naive_weak = smallest model
controller_naive_strong = largest model
controller_rule = rule
controller_custom = learned controller
controller_ensemble = ensemble
controller_oracle = oracle
location_CA = California
location_FL = Florida
location_NW = Northwest
location_NY = New York
season_winter = winter
season_spring = spring
season_summer = summer
season_fall = autumn

# Figures, within a sentence.
metric_objective_wh_per_day = dirty energy a day with misses counted in
metric_miss_share = missed tasks
metric_clean_share = clean share
metric_dirty_wh_per_day = dirty energy a day

# What the figures of a batch say.
insight_nothing = There is no whole run to say anything of.
insight_stand_in = How clean the grid was is not measured here ({ $locations }): a generator's values stand in. All of this holds for those values, not for the real places.
insight_few_weeks = { $weeks } of the { $needed } weeks of places that intervals and tests need at least: nothing here tells more than what happened in them.
insight_runs_missing = Not every camera was run under every controller: of { $cameras } cameras up to { $most } lack a run under { $controllers }. Comparisons use those that have both.
insight_runs_failed = Runs that the batch gave up: { $runs }. They are in no figure here; the batch's rows failed say why.
insight_oracle_share = { $Controller }: { $value } of the oracle's clean share{ $span }, on the { $equal } of { $pairs } runs where both miss equally many tasks.
insight_oracle_share_unknown = { $Controller }: none of { $pairs } runs misses as many tasks as the oracle, so their clean energy cannot be compared at equal misses.
insight_compared_lower = { $Controller } against { $other }: { $metric } lower by { $value }{ $span }, on { $pairs } pairs of runs{ $test }.
insight_compared_higher = { $Controller } against { $other }: { $metric } higher by { $value }{ $span }, on { $pairs } pairs of runs{ $test }.
insight_compared_open = { $Controller } against { $other }: no difference in { $metric } can be told: { $value }{ $span }, on { $pairs } pairs of runs{ $test }.
insight_compared_same = { $Controller } against { $other }: the same in { $metric }, on { $pairs } pairs of runs.
insight_best = Of all that do not know the future, this did best: { $controller }, with { $objective } a camera and day, { $misses } of the tasks missed and { $clean_share } of the energy clean.
insight_farthest = { $Controller }: farthest from the oracle here: { $location }, { $season }. Its clean share lies { $gap } lower there.
insight_efficiency = A fulfilled task takes the least energy here: { $controller }, { $mwh }; the most here: { $other }, { $other_mwh }.
insight_trend_lower = { $Controller }: { $metric } falls from day to day within a run, by { $value } a day{ $span }.
insight_trend_higher = { $Controller }: { $metric } rises from day to day within a run, by { $value } a day{ $span }.
insight_no_trend = Neither clean shares nor misses change from day to day within a run by more than chance explains.
insight_damage = Damaged rows, left out: { $rows }. The first: { $file }, line { $line }: { $reason }.

# What stands within such a sentence.
word_span = { " " }({ $low } to { $high })
word_no_span = { " " }(too few weeks for an interval)
word_points = percentage points
word_test = ; p = { $p }
word_test_small = ; p < { $p }
