-- The thirty days up to and with one day.
-- grain: one row per day with reports    params: $day (date, UTC)
select report_date, n_stories, n_reports, direction_index, direction_median, direction_z, stories_expected, stories_z, is_claimed
from relation_daily
where report_date between $day - 29 and $day
order by report_date
