-- The story of each report that had none.
-- grain: one row per article    reads: new_story_ids    safe to run twice
update articles
set story_id = s.story_id
from new_story_ids as s
where articles.article_id = s.article_id and articles.story_id is null
