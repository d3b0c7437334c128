-- Scores of the run; a score that is there already stays as it is.
-- grain: one row per article text and scorer version    reads: new_scores    safe to run twice
insert into scores by name
select
    score_key(url, score.scorer_version, text_sha256) as score_id, article_key(url) as article_id,
    score.scorer_version as scorer_version, text_sha256, scored_at, score.relevance as relevance,
    score.relevance_class as relevance_class, score.direction as direction, score.direction_class as direction_class
from new_scores
where article_key(url) in (select article_id from articles)
qualify row_number() over (partition by article_key(url), score.scorer_version, text_sha256 order by scored_at) = 1
on conflict do nothing
