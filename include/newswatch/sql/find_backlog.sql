-- How many entries still wait for a first or another attempt.
-- grain: one row
select count(distinct e.url) as n_backlog
from entries as e
left join (
    select url, arg_max_null(next_attempt_at, fetched_at) as next_attempt_at
    from fetches
    where kind = 'page'
    group by url
) as a using (url)
where e.article_id is null and (a.url is null or a.next_attempt_at is not null)
