-- The fifteen actors that most reports of one day name.
-- grain: one row per actor    params: $day (date, UTC)
select a."name", a.side, count(*) as n_reports
from reports as r
join article_actors as a using (score_id)
where r.report_date = $day
group by a.actor_id, a."name", a.side
order by n_reports desc, a."name"
limit 15
