-- Articles of a period whose text a version of the scorer has not scored.
-- grain: one row per article    params: $first_day, $last_day (dates, UTC, included), $language (empty: all), $scorer_version
select
    a.article_id, a.url, a.feed_url, a.title, a."text", a."language"::text as "language", a.published_at,
    a.published_at_source, a.has_time, a.author, a.fetched_at, a.text_sha256
from articles as a
where coalesce(a.published_at, a.first_seen_at)::date between $first_day and $last_day
    and ($language = '' or a."language"::text = $language)
    and not exists (
        from scores as s
        where s.article_id = a.article_id and s.text_sha256 = a.text_sha256 and s.scorer_version = $scorer_version
    )
order by a.article_id
