-- Articles by canonical URL: a newer text replaces the old one and is dated; the same or an older one changes nothing.
-- The same page extracted anew replaces what was read from it, and is no revision.
-- grain: one row per article    reads: new_extractions, feeds    safe to run twice
insert into articles by name
select
    article_key(e.article.url) as article_id, e.article.url as url, f.feed_url, f.outlet, f.country, f.side,
    e.article."language"::"language" as "language", e.article.title as title, e.article."text" as "text",
    e.article.author as author, e.article.published_at as published_at,
    e.article.published_at_source as published_at_source, e.article.has_time as has_time,
    e.fetched_at as first_seen_at, e.fetched_at, e.text_sha256
from new_extractions as e
join feeds as f using (feed_url)
where e.article is not null
qualify row_number() over (partition by article_key(e.article.url) order by e.fetched_at desc, e.entry_url) = 1
on conflict (article_id) do update set
    title = excluded.title, "text" = excluded."text", author = excluded.author, "language" = excluded."language",
    published_at = if(
        excluded.fetched_at = articles.fetched_at, excluded.published_at,
        coalesce(articles.published_at, excluded.published_at)
    ),
    published_at_source = if(
        excluded.fetched_at = articles.fetched_at, excluded.published_at_source,
        coalesce(articles.published_at_source, excluded.published_at_source)
    ),
    has_time = if(
        excluded.fetched_at = articles.fetched_at or articles.published_at is null, excluded.has_time, articles.has_time
    ),
    fetched_at = excluded.fetched_at,
    revised_at = if(excluded.fetched_at = articles.fetched_at, articles.revised_at, excluded.fetched_at),
    text_sha256 = excluded.text_sha256
where (excluded.fetched_at > articles.fetched_at and articles.text_sha256 <> excluded.text_sha256)
    or (
        excluded.fetched_at = articles.fetched_at
        and (excluded.text_sha256, excluded.published_at, excluded.has_time, excluded.author)
            is distinct from (articles.text_sha256, articles.published_at, articles.has_time, articles.author)
    )
