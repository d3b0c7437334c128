-- A period as one: its stories, reports, outlets, and the index, each story counted once and weighted by its relevance.
-- grain: one row    params: $first_day, $last_day (dates, UTC)
with
period_stories as (
    select
        story_id, count(*) as n_reports, max(relevance) as weight,
        coalesce(avg(direction) filter (where is_original), avg(direction)) as direction
    from reports
    where report_date between $first_day and $last_day
    group by story_id
)
select
    count(*) as n_stories,
    coalesce(sum(n_reports), 0)::bigint as n_reports,
    (select count(distinct outlet) from reports where report_date between $first_day and $last_day) as n_outlets,
    sum(weight * direction) / nullif(sum(weight), 0) as direction_index
from period_stories
