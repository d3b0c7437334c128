-- Articles whose newest score finds nothing about the relation leave their story.
-- grain: one row per article    reads: scores    params: $now (start of the run)    safe to run twice
update articles
set story_id = null, copy_of = null, copy_share = null
where story_id is not null
    and article_id in (select article_id from scores where is_current and relevance_class = 0 and scored_at >= $now)
