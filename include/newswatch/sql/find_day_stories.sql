-- The stories of one day with their evidence.
-- grain: one row per story    params: $day (date, UTC)
select
    coalesce(r.story_id, r.article_id) as story_id,
    arg_max(r.title, r.relevance) as headline,
    count(distinct r.article_id) as n_reports,
    avg(r.direction) as direction,
    list(distinct e.sentence order by e.sentence) filter (where e.sentence is not null) as evidence
from reports as r
left join evidence as e using (score_id)
where r.report_date = $day
group by 1
order by n_reports desc, headline, 1
