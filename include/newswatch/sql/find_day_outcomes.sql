-- How the requests of one day ended.
-- grain: one row per kind and outcome    params: $day (date, UTC)
select kind, outcome::text as outcome, count(*) as n
from fetches
where fetched_at::date = $day
group by all
order by kind, n desc, outcome
