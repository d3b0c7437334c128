-- How each side's media reported in a period, and by how much they differ from the others on stories that both told.
-- grain: one row per side    params: $first_day, $last_day (dates, UTC)
with
period_reports as (
    select *
    from reports
    where report_date between $first_day and $last_day
),
story_sides as (
    select story_id, side, avg(direction) as direction
    from period_reports
    group by story_id, side
),
compared as (
    select
        side,
        direction - (sum(direction) over story - direction) / nullif(count(direction) over story - 1, 0) as difference
    from story_sides
    window story as (partition by story_id)
),
differences as (
    select side, avg(difference) as direction_difference, count(difference) as n_shared_stories
    from compared
    group by side
),
themes as (
    select side, list(theme order by n desc, theme)[1:6] as themes
    from (
        select r.side, t.theme, count(*) as n
        from period_reports as r
        join article_themes as t using (score_id)
        group by all
    )
    group by side
)
select
    r.side::text as side, count(*) as n_reports, count(distinct r.story_id) as n_stories, avg(r.direction) as direction,
    any_value(d.direction_difference) as direction_difference, any_value(d.n_shared_stories) as n_shared_stories,
    coalesce(any_value(t.themes), []) as themes
from period_reports as r
left join differences as d using (side)
left join themes as t using (side)
group by r.side
order by r.side
