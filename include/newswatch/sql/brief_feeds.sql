-- Feeds that fail, are silent or gone.
-- grain: one row per feed
select outlet, feed_url, standing::text as standing, coalesce(failing_since, silent_since)::date as since
from feeds
where standing in ('failing', 'silent', 'gone')
order by since nulls first, outlet, feed_url
