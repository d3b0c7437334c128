-- What is remembered of every feed.
-- grain: one row per feed
select
    feed_url, etag, last_modified, validators_untrusted, body_sha256, last_polled_at, last_ok_at, last_new_at,
    last_unconditional_at, failing_since, silent_since, n_failures, n_gone, interval_minutes, next_poll_at,
    if(standing = 'disabled', 'ok', standing::text) as standing, permanent_url, permanent_since
from feeds
order by feed_url
