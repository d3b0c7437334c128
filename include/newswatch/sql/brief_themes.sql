-- The themes of a period beside what is usual: the mean of the periods of the same length among the twenty-eight days before it,
-- twenty-eight for a day and four for a week, of which every day was collected. No such period: null.
-- grain: one row per theme    params: $first_day, $last_day (dates, UTC)
with
-- Numbered backwards: 1 is the period just before, 0 the period itself.
theme_stories as (
    select
        t.theme, r.story_id, r.direction,
        ceil(($first_day - r.report_date) / ($last_day - $first_day + 1))::int as period_no
    from reports as r
    join article_themes as t using (score_id)
    where r.report_date between $first_day - 28 and $last_day
),
collected_periods as (
    select ceil(($first_day - report_date) / ($last_day - $first_day + 1))::int as period_no
    from collected_days
    where report_date between $first_day - 28 and $first_day - 1
    group by period_no
    having count(*) = $last_day - $first_day + 1
),
usual as (
    select theme, count(distinct (period_no, story_id)) as n_stories
    from theme_stories
    where period_no in (from collected_periods)
    group by theme
)
select
    s.theme, count(distinct s.story_id) as n_stories, avg(s.direction) as direction,
    coalesce(any_value(u.n_stories), 0) / nullif((select count(*) from collected_periods), 0) as n_usual
from theme_stories as s
left join usual as u using (theme)
where s.period_no = 0
group by s.theme
order by n_stories desc, s.theme
