-- The ninety days up to and with the last day: index with its interval, the usual band, stories and what stands out.
-- grain: one row per day with reports    params: $last_day (date, UTC)
select
    report_date, n_stories, n_reports, direction_index, direction_low, direction_high, is_claimed, baseline_low,
    baseline_high, direction_z, is_shift, stories_expected, stories_z, is_burst
from relation_daily
where report_date between $last_day - 89 and $last_day
order by report_date
