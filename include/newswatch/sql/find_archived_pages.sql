-- Pages whose newest archived answer was fetched in a period, with what their feed knows of them.
-- grain: one row per url    params: $first_day, $last_day (dates, UTC, included), $language (empty: all; of the article, else the feed)
with
newest as (
    select url, feed_url, warc_file, fetched_at
    from fetches
    where kind = 'page' and warc_file is not null
    qualify row_number() over (partition by url order by fetched_at desc, run_id) = 1
)
select
    n.url, n.feed_url, n.warc_file, f.outlet, f."language", f.time_zone,
    coalesce(e.title, '') as title, e.published_at, coalesce(e.published_raw, '') as published_raw
from newest as n
join feeds as f using (feed_url)
left join entries as e using (feed_url, url)
left join articles as a on a.article_id = coalesce(e.article_id, article_key(n.url))
where n.fetched_at::date between $first_day and $last_day
    and ($language = '' or coalesce(a."language"::text, f."language") = $language)
order by n.warc_file, n.url
