-- Pages to ask for: never asked for, due for another attempt, or with a title that changed within three days.
-- grain: one row per url    reads: new_entries (of this run), entries, fetches, feeds    params: $now
with
announced as (
    select feed_url, url, title, published_at, published_raw, guid, summary, true as is_new
    from new_entries
    union all by name
    select feed_url, url, title, published_at, published_raw, guid, summary, false as is_new
    from entries
    -- Old entries matter only while they wait for a first or another attempt.
    where article_id is null
),
one_each as (
    select * from announced
    qualify row_number() over (partition by url order by is_new desc, published_at nulls last, feed_url) = 1
),
last_attempts as (
    -- _null: where the last attempt says that none is to follow, arg_max would take the moment that an earlier one named.
    select url, arg_max_null(next_attempt_at, fetched_at) as next_attempt_at, arg_max(n_attempts, fetched_at) as n_attempts
    from fetches
    -- What is dated in the future was noted under a wrong clock.
    where kind = 'page' and fetched_at <= $now + interval 1 hour
    group by url
),
changed as (
    select n.url
    from new_entries as n
    join entries as e using (feed_url, url)
    where n.title <> e.title and e.first_seen_at > $now - interval 3 days
)
select
    o.feed_url, o.url, o.title, o.published_at, o.published_raw, o.guid, o.summary,
    case when a.next_attempt_at is null then 0 else a.n_attempts end as n_attempts
from one_each as o
left join last_attempts as a using (url)
where a.url is null or a.next_attempt_at <= $now or o.url in (select url from changed)
order by a.url is null desc, o.published_at desc nulls last, o.url
