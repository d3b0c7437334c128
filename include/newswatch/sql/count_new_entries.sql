-- How many entries of each feed were never seen before this run.
-- grain: one row per feed    params: $seen_at
select feed_url, count(*) as n_new
from entries
where first_seen_at = $seen_at
group by feed_url
order by feed_url
