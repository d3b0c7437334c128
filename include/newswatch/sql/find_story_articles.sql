-- Reports of the last 7 days, and all others of their stories, with what their current score found.
-- grain: one row per report    reads: articles, scores, article_actors, events, article_themes    params: $now
with
recent as (
    select article_id, story_id
    from articles
    where greatest(coalesce(published_at, first_seen_at), first_seen_at) > $now - interval 7 days
),
-- Not the view reports: its window would run over every article that was ever scored.
chosen as (
    select a.*, s.score_id, s.relevance, s.relevance_class, s.direction
    from articles as a
    join scores as s using (article_id, text_sha256)
    where a.article_id in (select article_id from recent)
        or a.story_id in (select story_id from recent where story_id is not null)
    qualify row_number() over (partition by a.article_id order by s.scored_at desc, s.score_id desc) = 1
),
actors as (
    select score_id, list(actor_id order by actor_id) as ids
    from article_actors
    where score_id in (select score_id from chosen)
    group by score_id
),
happenings as (
    select score_id, list(distinct concat(type, ':', source, '>', target) order by concat(type, ':', source, '>', target)) as types
    from events
    where score_id in (select score_id from chosen)
    group by score_id
),
themes as (
    select score_id, list(theme order by theme) as names
    from article_themes
    where score_id in (select score_id from chosen)
    group by score_id
)
select
    c.article_id, c.outlet, c.side::text as side, c."language"::text as "language", c.title, c."text",
    coalesce(c.published_at, c.first_seen_at) as reported_at, c.relevance, c.direction,
    coalesce(a.ids, []) as actors, coalesce(h.types, []) as events, coalesce(t.names, []) as themes,
    c.story_id, c.copy_of
from chosen as c
left join actors as a using (score_id)
left join happenings as h using (score_id)
left join themes as t using (score_id)
where c.relevance_class > 0
order by c.article_id
