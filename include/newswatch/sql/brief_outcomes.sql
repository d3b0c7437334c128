-- How the requests of a period ended.
-- grain: one row per kind and outcome    params: $first_day, $last_day (dates, UTC)
select kind, outcome::text as outcome, count(*) as n
from fetches
where fetched_at >= $first_day and fetched_at < $last_day + 1
group by all
order by kind, n desc, outcome
