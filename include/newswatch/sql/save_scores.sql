-- Scores of the run; a score that is there already stays as it is. One that had been replaced is dated anew: when a text
-- is changed and then changed back, what rests on it (mark_current_scores, find_story_articles) must take it for new.
-- grain: one row per article text and scorer version    reads: new_scores    safe to run twice
insert into scores by name
select
    score_key(url, score.scorer_version, text_sha256) as score_id, article_key(url) as article_id,
    score.scorer_version as scorer_version, text_sha256, scored_at, score.relevance as relevance,
    score.relevance_class as relevance_class, score.direction as direction, score.direction_class as direction_class
from new_scores
where article_key(url) in (select article_id from articles)
qualify row_number() over (partition by article_key(url), score.scorer_version, text_sha256 order by scored_at) = 1
on conflict (score_id) do update set scored_at = excluded.scored_at
where not scores.is_current and excluded.scored_at > scores.scored_at
