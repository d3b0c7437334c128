-- Addresses of a feed that have been fetched, or are on their way.
-- grain: one row per url    params: $feed_url
select url from fetches where feed_url = $feed_url and kind = 'page'
union
select url from entries where feed_url = $feed_url
union
select url from articles where feed_url = $feed_url
order by url
