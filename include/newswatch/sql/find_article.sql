-- One article with its text.
-- grain: one row    params: $key (URL or article_id as text)
select article_id, url, title, "text", "language"::text as "language"
from articles
where article_id = try_cast($key as bigint) or url = $key
order by article_id
limit 1
