-- The gate before a publication: may this file replace the last one?
-- grain: one row per check    reads: all tables, candidate_counts and last_counts (count_tables.sql of either file)
with
lost as (
    select l."name", l.n_rows as n_before, c.n_rows as n_now
    from last_counts as l
    join candidate_counts as c using ("name")
    where c.n_rows < 0.9 * l.n_rows - 5  -- maintenance and merged stories take away a little
),
stale as (
    select l.newest_at as newest_before, c.newest_at as newest_now
    from last_counts as l
    join candidate_counts as c using ("name")
    where "name" = 'runs' and (c.newest_at < l.newest_at or (c.newest_at is null and l.newest_at is not null))
),
recent as (
    select
        count(*) as n,
        count(*) filter (where title = '') as n_untitled,  -- some pages have none, and neither has their feed
        count(*) filter (where published_at > first_seen_at + interval 2 days or published_at < '1990-01-01') as n_wrong
    from articles
    where first_seen_at > (select max(first_seen_at) from articles) - interval 7 days
),
orphans as (
    select 'article without its feed' as kind, count(*) as n from articles where feed_url not in (select feed_url from feeds)
    union all
    select 'article without its story', count(*) from articles
    where story_id is not null and story_id not in (select story_id from stories)
    union all
    select 'reprint without its original', count(*) from articles
    where copy_of is not null and copy_of not in (select article_id from articles)
    union all
    select 'entry without its article', count(*) from entries
    where article_id is not null and article_id not in (select article_id from articles)
    union all
    select 'score without its article', count(*) from scores where article_id not in (select article_id from articles)
),
twice as (
    select count(*) - count(distinct article_id) as n from scores where is_current
),
astray as (
    select report_date from relation_daily where direction_index not between -10 and 10 or n_stories > n_reports
)
select
    'no table lost rows' as "name", count(*) = 0 as is_ok,
    coalesce(string_agg(format('{}: {} rows, {} before', "name", n_now, n_before), '; ' order by "name"), '') as detail
from lost
union all
select
    'no run is missing', count(*) = 0,
    coalesce(any_value(format('newest run {}, before {}', coalesce(newest_now::text, 'none'), newest_before)), '')
from stale
union all
select 'articles have a text', count(*) = 0, coalesce(format('{} have none, as {}', count(*), min(url)), '')
from articles where "text" = ''
union all
select 'articles have a title', n_untitled <= 5 + 0.1 * n, format('{} of {} articles of the last 7 days have none', n_untitled, n) from recent
union all
select 'dates are possible', n_wrong <= 0.05 * n, format('{} of {} articles of the last 7 days are dated wrongly', n_wrong, n) from recent
union all
select
    'nothing is orphaned', sum(n) = 0,
    coalesce(string_agg(format('{}: {}', kind, n), '; ' order by kind) filter (where n > 0), '')
from orphans
union all
select 'no article has two current scores', n = 0, format('{} too many', n) from twice
union all
select 'the index is in its range', count(*) = 0, coalesce(format('{} days are not, as {}', count(*), min(report_date)), '') from astray
order by "name"
