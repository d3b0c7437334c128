-- Who did what to whom in a period.
-- grain: one row per acting side, side acted upon and kind of event    params: $first_day, $last_day (dates, UTC)
select source, target, "type"::text as "type", sum(n_reports)::bigint as n_reports, avg(goldstein) as goldstein
from actor_pairs
where report_date between $first_day and $last_day
group by source, target, "type"
order by n_reports desc, source, target, "type"
limit 12
