-- The story and the original of each report.
-- grain: one row per article    reads: new_memberships    safe to run twice
update articles
set story_id = m.story_id, copy_of = m.copy_of, copy_share = m.copy_share
from new_memberships as m
where articles.article_id = m.article_id
    and (articles.story_id, articles.copy_of) is distinct from (m.story_id, m.copy_of)
