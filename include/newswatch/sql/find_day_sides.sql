-- How each side's media reported on one day.
-- grain: one row per side    params: $day (date, UTC)
select
    r.side::text as side,
    count(distinct r.article_id) as n_reports,
    (select avg(x.direction) from reports as x where x.report_date = $day and x.side = r.side) as direction,
    coalesce(list(distinct t.theme order by t.theme) filter (where t.theme is not null), []) as themes
from reports as r
left join article_themes as t using (score_id)
where r.report_date = $day
group by r.side
order by side
