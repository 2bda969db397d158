### The camera lab: its controllers, places and seasons, and the results of a batch.

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
metric_objective_wh_per_day = dirty energy a day, misses included
metric_miss_share = missed tasks
metric_clean_share = clean share
metric_dirty_wh_per_day = dirty energy a day

# Results of a batch.
insight_nothing = No run is complete, so there are no results.
insight_stand_in = How clean the grid was is not measured here: { $locations }. These results hold for simulated values, not for the real places.
insight_few_weeks = { $weeks } of at least { $needed } weeks are available. Intervals and tests need more weeks.
insight_runs_missing = Some runs are missing: up to { $most } of { $cameras } cameras have none with { $controllers }. Comparisons use only cameras that have both.
insight_runs_failed = Failed runs: { $runs }. The results leave them out; the batch's failed rows show the reasons.
insight_oracle_share = { $Controller }: { $value } of the oracle's clean share{ $span }, on { $equal } of { $pairs } runs with equal misses.
insight_oracle_share_unknown = { $Controller }: no comparison with the oracle, because none of { $pairs } runs has equal misses.
insight_compared_lower = { $Controller } against { $other }: { $metric } lower by { $value }{ $span }, on { $pairs } pairs of runs{ $test }.
insight_compared_higher = { $Controller } against { $other }: { $metric } higher by { $value }{ $span }, on { $pairs } pairs of runs{ $test }.
insight_compared_open = { $Controller } against { $other }: no clear difference in { $metric }: { $value }{ $span }, on { $pairs } pairs of runs{ $test }.
insight_compared_same = { $Controller } against { $other }: the same in { $metric }, on { $pairs } pairs of runs.
insight_best = Best controller without knowing the future: { $controller }. It needs { $objective } a camera and day, misses { $misses } of the tasks, and { $clean_share } of its energy is clean.
insight_farthest = { $Controller }: farthest from the oracle in { $location }, { $season }. Its clean share is { $gap } lower there.
insight_efficiency = Least energy per task: { $controller }, { $mwh }. Most: { $other }, { $other_mwh }.
insight_trend_lower = { $Controller }: { $metric } falls within a run, by { $value } a day{ $span }.
insight_trend_higher = { $Controller }: { $metric } rises within a run, by { $value } a day{ $span }.
insight_no_trend = Clean shares and misses do not clearly change from day to day within a run.
insight_damage = Damaged rows: { $rows }. The first is { $file }, line { $line }.

# Parts of such sentences.
word_span = { " " }({ $low } to { $high })
word_no_span = { " " }(too few weeks for an interval)
word_points = percentage points
word_test = ; p = { $p }
word_test_small = ; p < { $p }
