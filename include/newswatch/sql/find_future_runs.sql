-- Runs that lie in the future: the clock was wrong then, or is wrong now.
-- grain: one row per run    params: $now
select run_id, started_at
from runs
where started_at > $now + interval 1 hour
order by started_at, run_id
