-- How every monitored feed does, with what the fourteen days up to and with one day brought.
-- grain: one row per feed    params: $day (date, UTC)
with
polls as (
    select
        feed_url,
        count(*) as n_polls,
        count(*) filter (where outcome not in ('fetched', 'not_modified')) as n_failed,
        count(*) filter (where outcome = 'not_modified') / count(*) as not_modified_share
    from fetches
    where kind = 'feed' and fetched_at >= $day - interval 13 days
    group by feed_url
),
kept as (
    select
        feed_url,
        count(*) as n_articles,
        -- What a first poll finds may be weeks old and says nothing of the pace of the feed.
        avg(epoch(first_seen_at - published_at) / 3600) filter (where first_seen_at - published_at < interval 3 days)
            as age_hours
    from articles
    where first_seen_at >= $day - interval 13 days
    group by feed_url
)
select
    f.feed_url, f.outlet, f."language", f.kind::text as kind, h.standing::text as standing, h.since, f.failing_since,
    f.last_ok_at, h.last_new_at, h.next_poll_at,
    if(h.standing in ('failing', 'gone'), concat_ws(': ', h.last_outcome::text, nullif(h.last_detail, '')), '') as reason,
    coalesce(p.n_polls, 0) as n_polls, coalesce(p.n_failed, 0) as n_failed, p.not_modified_share,
    coalesce(k.n_articles, 0) as n_articles, k.age_hours
from feeds as f
join feed_health as h using (feed_url)
left join polls as p using (feed_url)
left join kept as k using (feed_url)
where f.is_enabled
order by f.outlet, f.feed_url
