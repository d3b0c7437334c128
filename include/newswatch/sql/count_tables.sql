-- What a publication holds, to compare the next one with.
-- grain: one row per table
select 'feeds' as "name", count(*) as n_rows, max(last_polled_at) as newest_at from feeds
union all
select 'entries', count(*), max(first_seen_at) from entries
union all
select 'articles', count(*), max(fetched_at) from articles
union all
select 'scores', count(*), max(scored_at) from scores
union all
select 'events', count(*), null from events
union all
select 'stories', count(*), max(last_report_at) from stories
union all
select 'runs', count(*), max(started_at) from runs
order by "name"
