-- Feeds that feeds.csv no longer names are kept with their history, and polled no more.
-- grain: one row per feed    reads: new_feeds    safe to run twice
update feeds
set is_enabled = false, standing = 'disabled', note = 'no longer in feeds.csv'
where feed_url not in (select url from new_feeds) and is_enabled
