-- The fifteen actors that most reports of a period name.
-- grain: one row per actor    params: $first_day, $last_day (dates, UTC)
select a."name", a.side, count(*) as n_reports, count(distinct r.story_id) as n_stories, avg(r.direction) as direction
from reports as r
join article_actors as a using (score_id)
where r.report_date between $first_day and $last_day
group by a.actor_id, a."name", a.side
order by n_reports desc, a."name"
limit 15
