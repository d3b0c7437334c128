-- Reprints with their originals.
-- grain: one row per article    reads: new_copies    safe to run twice
update articles
set copy_of = c.copy_of, copy_share = c.copy_share
from new_copies as c
where articles.article_id = c.article_id
