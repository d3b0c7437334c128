-- How each side's media reported in a period, and by how much they differ from the others on stories that both told.
-- As in the view framing: a side's independent texts, its reprints only where it has nothing else in that story.
-- grain: one row per side    params: $first_day, $last_day (dates, UTC)
with
period_reports as (
    select *
    from reports
    where report_date between $first_day and $last_day
),
story_sides as (
    select
        story_id, side, count(*) as n_reports, coalesce(avg(direction) filter (where is_original), avg(direction)) as direction
    from period_reports
    group by story_id, side
),
compared as (
    select
        *,
        direction - (sum(direction) over story - direction) / nullif(count(direction) over story - 1, 0) as difference
    from story_sides
    window story as (partition by story_id)
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
    c.side::text as side, sum(c.n_reports)::bigint as n_reports, count(*) as n_stories, avg(c.direction) as direction,
    avg(c.difference) as direction_difference, count(c.difference) as n_shared_stories,
    coalesce(any_value(t.themes), []) as themes
from compared as c
left join themes as t using (side)
group by c.side
order by c.side
