-- Reports that got a score in this run, those of the four days around each, and all others of their stories.
-- grain: one row per report    reads: articles, scores, article_actors, article_places, events, article_themes, stories
-- params: $now (start of the run)
with
changed_days as (
    select distinct coalesce(a.published_at, a.first_seen_at)::date + r.n::integer as day
    from scores as s
    join articles as a using (article_id)
    cross join range(-4, 5) as r(n)
    where s.scored_at >= $now
),
near as (
    select article_id, story_id
    from articles
    where coalesce(published_at, first_seen_at)::date in (select day from changed_days)
),
wanted as (
    select article_id
    from articles
    where article_id in (select article_id from near)
        or story_id in (select story_id from near where story_id is not null)
),
chosen as (
    select a.*, s.score_id, s.scored_at, s.relevance, s.relevance_class, s.direction
    from wanted
    join articles as a using (article_id)
    join scores as s using (article_id)
    where s.is_current and s.relevance_class > 0
),
actors as (
    select score_id, list(actor_id order by actor_id) as ids
    from article_actors
    where score_id in (select score_id from chosen)
    group by score_id
),
places as (
    select score_id, list(place_id order by place_id) as ids
    from article_places
    where score_id in (select score_id from chosen)
    group by score_id
),
happenings as (
    select score_id, list(distinct type::text order by type::text) as types
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
    c.article_id, c.score_id, c.outlet, c.side::text as side, c."language"::text as "language", c.title, c."text",
    coalesce(c.published_at, c.first_seen_at) as reported_at, c.has_time, c.relevance, c.direction,
    coalesce(a.ids, []) as actors, coalesce(h.types, []) as events, coalesce(t.names, []) as themes,
    coalesce(p.ids, []) as places, c.story_id, c.copy_of,
    c.story_id is null or c.scored_at >= $now as is_changed,
    c.article_id in (select story_id from stories) as heads_story
from chosen as c
left join actors as a using (score_id)
left join places as p using (score_id)
left join happenings as h using (score_id)
left join themes as t using (score_id)
order by c.article_id
