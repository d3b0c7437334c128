-- Views over the tables, made anew by every load: they are code, not data.

create or replace view current_scores as
select s.*
from scores as s
join articles as a using (article_id, text_sha256)
qualify row_number() over (partition by s.article_id order by s.scored_at desc, s.score_id desc) = 1;
comment on view current_scores is 'One row an article: the newest score of its newest text.';

create or replace view reports as
select
    a.article_id,
    coalesce(a.published_at, a.first_seen_at) as reported_at,
    coalesce(a.published_at, a.first_seen_at)::date as report_date,
    a.outlet, a.country, a.side, a.language, a.title, a.url, a.published_at, a.first_seen_at, a.revised_at,
    a.copy_of is null as is_original, a.copy_of, a.story_id,
    s.score_id, s.relevance, s.relevance_class, s.direction, s.direction_class, s.scorer_version
from articles as a
join current_scores as s using (article_id)
where s.relevance_class > 0;
comment on view reports is 'One row an article about the relation, with its current score.';

create or replace view relation_daily as
with
story_days as (
    select
        report_date,
        coalesce(story_id, article_id) as story_id,
        count(*) as n_reports,
        max(relevance) as relevance,
        avg(direction) as direction
    from reports
    group by all
)
select
    report_date,
    count(*) as n_stories,
    sum(n_reports)::bigint as n_reports,
    sum(relevance * direction) / nullif(sum(relevance), 0) as direction_index
from story_days
group by report_date;
comment on view relation_daily is 'One row a day: stories, reports, and the index of direction, each story counted once and weighted by its relevance.';
