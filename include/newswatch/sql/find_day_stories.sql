-- The twenty stories of one day that most reports tell, with the longest sentence of two reports each.
-- grain: one row per story    params: $day (date, UTC)
with
day_reports as (
    select *, coalesce(story_id, article_id) as story
    from reports
    where report_date = $day
),
sentences as (
    select r.story, r.outlet, r.url, r.relevance, arg_max(e.sentence, length(e.sentence)) as sentence
    from day_reports as r
    join evidence as e using (score_id)
    where r.is_original
    group by r.story, r.outlet, r.url, r.relevance
),
quoted as (
    select story, list({'sentence': sentence, 'outlet': outlet, 'url': url} order by relevance desc, url)[1:2] as evidence
    from sentences
    group by story
),
themes as (
    select r.story, list(distinct t.theme order by t.theme) as themes
    from day_reports as r
    join article_themes as t using (score_id)
    group by r.story
)
select
    r.story as story_id,
    arg_max(r.title, r.relevance) as headline,
    count(*) as n_reports,
    avg(r.direction) filter (where r.is_original) as direction,
    list(distinct r.outlet order by r.outlet) as outlets,
    list(distinct r.language::text order by r.language::text) as languages,
    coalesce(any_value(q.evidence), []) as evidence,
    coalesce(any_value(t.themes), []) as themes
from day_reports as r
left join quoted as q on q.story = r.story
left join themes as t on t.story = r.story
group by r.story
order by n_reports desc, max(r.relevance) desc, r.story
limit 20
