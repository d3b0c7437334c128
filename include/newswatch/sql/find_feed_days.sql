-- What each feed brought and how its polls went, by day, for the fourteen days up to and with one day.
-- grain: one row per feed and day with polls    params: $day (date, UTC)
with
polls as (
    select
        feed_url, fetched_at::date as "day", count(*) as n_polls,
        count(*) filter (where outcome not in ('fetched', 'not_modified')) as n_failed
    from fetches
    where kind = 'feed' and fetched_at >= $day - interval 13 days
    group by all
),
kept as (
    select feed_url, first_seen_at::date as "day", count(*) as n_articles
    from articles
    where first_seen_at >= $day - interval 13 days
    group by all
)
select p.feed_url, p.day, p.n_polls, p.n_failed, coalesce(k.n_articles, 0) as n_articles
from polls as p
left join kept as k using (feed_url, "day")
order by p.feed_url, p.day
