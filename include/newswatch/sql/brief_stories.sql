-- The twenty stories of a period that most reports tell, each with a sentence of two of its reports, of two sides if it can be.
-- grain: one row per story    params: $first_day, $last_day (dates, UTC)
with
period_reports as (
    select *
    from reports
    where report_date between $first_day and $last_day
),
-- Of the whole story, which may have begun before the period.
first_reports as (
    select story_id, reported_at, outlet
    from story_timeline
    -- those with a day alone have no number: where all are such, the earliest of them
    qualify row_number() over (partition by story_id order by report_no, reported_at, article_id) = 1
),
sentences as (
    select r.story_id, r.side, r.outlet, r.language, r.url, r.title, r.relevance, arg_max(e.sentence, length(e.sentence)) as sentence
    from period_reports as r
    join evidence as e using (score_id)
    where r.is_original
    group by all
),
by_side as (
    select *, row_number() over (partition by story_id, side order by relevance desc, url) as place_in_side
    from sentences
),
quoted as (
    select
        story_id,
        list(
            {'sentence': sentence, 'outlet': outlet, 'language': language::text, 'url': url, 'title': title}
            order by place_in_side, relevance desc, url
        )[1:2] as evidence
    from by_side
    group by story_id
),
themes as (
    select story_id, list(theme order by n desc, theme) as themes
    from (
        select r.story_id, t.theme, count(*) as n
        from period_reports as r
        join article_themes as t using (score_id)
        group by all
    )
    group by story_id
),
sides as (
    select story_id, list({'side': side, 'n_reports': n_reports, 'direction': direction} order by n_reports desc, side) as sides
    from (
        select
            story_id, side::text as side, count(*) as n_reports,
            coalesce(avg(direction) filter (where is_original), avg(direction)) as direction
        from period_reports
        group by story_id, side
    )
    group by story_id
)
select
    r.story_id,
    coalesce(any_value(s.headline), arg_max(r.title, r.relevance)) as headline,
    count(*) as n_reports,
    count(*) filter (where r.is_original) as n_texts,
    coalesce(avg(r.direction) filter (where r.is_original), avg(r.direction)) as direction,
    list(distinct r.outlet order by r.outlet) as outlets,
    list(distinct r."language"::text order by r."language"::text) as languages,
    any_value(f.reported_at) as first_report_at,
    any_value(f.outlet) as first_outlet,
    coalesce(any_value(q.evidence), []) as evidence,
    coalesce(any_value(t.themes), []) as themes,
    any_value(d.sides) as sides
from period_reports as r
join first_reports as f using (story_id)
left join stories as s using (story_id)
left join quoted as q using (story_id)
left join themes as t using (story_id)
left join sides as d using (story_id)
group by r.story_id
order by n_reports desc, max(r.relevance) desc, r.story_id
limit 20
