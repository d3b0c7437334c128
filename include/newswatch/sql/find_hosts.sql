-- Which feed brought most of the pages of a host.
-- grain: one row per host
select regexp_extract(url, '^https?://([^/:?#]+)', 1) as host, mode(feed_url order by feed_url) as feed_url
from articles
group by host
order by host
