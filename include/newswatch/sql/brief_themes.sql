-- The themes of a period beside the mean of the twenty-eight days before it.
-- grain: one row per theme    params: $first_day, $last_day (dates, UTC)
select
    t.theme,
    count(distinct r.story_id) filter (where r.report_date >= $first_day) as n_stories,
    avg(r.direction) filter (where r.report_date >= $first_day) as direction,
    count(distinct r.story_id) filter (where r.report_date < $first_day) / 28 * ($last_day - $first_day + 1) as n_usual
from reports as r
join article_themes as t using (score_id)
where r.report_date between $first_day - 28 and $last_day
group by t.theme
having count(*) filter (where r.report_date >= $first_day) > 0
order by n_stories desc, t.theme
