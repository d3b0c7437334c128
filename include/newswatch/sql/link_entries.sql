-- Which article an entry became.
-- grain: one row per entry    reads: new_extractions    safe to run twice
update entries
set article_id = article_key(e.article.url)
from (select distinct entry_url, article from new_extractions where article is not null) as e
where entries.url = e.entry_url and entries.article_id is distinct from article_key(e.article.url)
