-- Articles whose new text is no longer about the relation leave their story.
-- grain: one row per article    reads: articles, scores    params: $now    safe to run twice
update articles
set story_id = null
where story_id is not null
    and revised_at > $now - interval 7 days
    and (
        select arg_max(s.relevance_class, s.scored_at)
        from scores as s
        where s.article_id = articles.article_id and s.text_sha256 = articles.text_sha256
    ) = 0
