-- Synthetic articles FIRST to LAST of a warehouse, with all that hangs on them; the same seed gives the same rows.
-- grain: one row per article    reads: pool (texts of the corpus), outlets    params: $first, $last, $n, $n_days, $every, $until, $seed
-- One in $every is about the relation; stories are told by a few outlets, a few stories by many.
create or replace temp table batch as
with
numbers as (
    select i, hash(i + 1000000007 * $seed) as h, hash(i + 1000000007 * ($seed + 1)) as h2, ($n_days * i // $n)::int as day
    from range($first, $last) as r (i)
),
placed as (
    select
        *, h % $every = 0 as is_relevant, (h2 // 64 % 1000) / 1000.0 as u,
        $until::timestamptz - to_days($n_days - 1 - day) - to_seconds((h % 80000)::int) as moment
    from numbers
),
told as (
    select *, if(is_relevant, day - (h2 % 5 = 0)::int, i) as story_day,
        if(is_relevant, floor(greatest($n / $n_days / $every / 3, 8) * u * u)::int, -1) as slot
    from placed
),
voiced as (
    select t.*, hash(t.story_day * 10000 + t.slot + 1000000007 * $seed) as s, o.*, z.size
    from told as t
    join outlets as o on o.no = t.h2 % (select count(*) from outlets)
    join (select "language", count(*) as size from pool group by "language") as z using ("language")
)
select
    v.*, 'https://outlet' || v.no || '.example/' || i || '-' || to_hex(h) as url,
    p1.title, concat_ws(chr(10), p1.body, p2.body, p3.body, p4.body, 'Ref ' || to_hex(h2)) as body, p1.body as lead,
    round(greatest(-10, least(10,
        2 + 2 * sin(day / 60.0) + 4 * ((s % 1000) / 500.0 - 1) + case side when 'china_state' then 1 when 'third' then -1 else 0 end
        + ((h % 997) / 498.5 - 1)
    )), 2) as direction
from voiced as v
join pool as p1 on p1."key" = v.language || (v.s % v.size)
join pool as p2 on p2."key" = v.language || ((v.s // 7) % v.size)
join pool as p3 on p3."key" = v.language || (v.h % v.size)
join pool as p4 on p4."key" = v.language || (v.h2 % v.size);

insert into articles by name
select
    article_key(url) as article_id, url, feed_url, outlet, country, side, "language", title, body as "text", '' as author,
    moment as published_at, 'feed' as published_at_source, moment + interval 20 minutes as first_seen_at,
    moment + interval 20 minutes as fetched_at, if(h2 % 50 = 0, moment + interval 5 hours, null) as revised_at,
    sha256(title || chr(10) || body) as text_sha256
from batch
order by i;

insert into scores by name
select
    key_of(url || '|v') as score_id, article_key(url) as article_id, 'synthetic' as scorer_version,
    sha256(title || chr(10) || body) as text_sha256, moment + interval 25 minutes as scored_at,
    if(is_relevant, 0.5 + (h2 % 500) / 1000.0, (h2 % 300) / 1000.0) as relevance,
    if(is_relevant, 1 + (h2 % 2)::int, 0) as relevance_class, if(is_relevant, direction, null) as direction,
    if(is_relevant, round(direction / 5)::tinyint, null) as direction_class, true as is_current
from batch
order by i;

insert into events by name
select
    key_of(url || '|v') as score_id, 0 as event_no, e.type::plover_event as type, e.quad::quad as quad, e.goldstein,
    if(h2 % 2 = 0, 'CN', 'RU') as source, if(h2 % 2 = 0, 'RU', 'CN') as target, 0 as sentence_no
from batch
cross join lateral (
    select unnest([
        {'type': 'ASSAULT', 'quad': 'material_conflict', 'goldstein': -9.0},
        {'type': 'SANCTION', 'quad': 'material_conflict', 'goldstein': -6.0},
        {'type': 'ACCUSE', 'quad': 'verbal_conflict', 'goldstein': -3.0}, {'type': 'CONSULT', 'quad': 'verbal_coop', 'goldstein': 2.5},
        {'type': 'SUPPORT', 'quad': 'verbal_coop', 'goldstein': 5.0}, {'type': 'COOPERATE', 'quad': 'material_coop', 'goldstein': 9.5}
    ][1 + greatest(0, least(5, floor((direction + 10) / 3.34)::int))], recursive := true)
) as e
where is_relevant;

insert into evidence by name
select key_of(url || '|v') as score_id, 0 as sentence_no, lead[1:200] as sentence from batch where is_relevant;

insert into article_actors by name
select distinct key_of(url || '|v') as score_id, 'actor-' || a as actor_id, 'Actor ' || a as "name", if(a % 2 = 0, 'CN', 'RU') as side
from (select *, unnest([s % 6, h % 40, h2 % 40]) as a from batch where is_relevant);

insert into article_places by name
select distinct key_of(url || '|v') as score_id, 'third-' || ['US', 'UA', 'IN', 'KZ', 'JP'][1 + (s % 5)::int] as place_id
from batch
where is_relevant and h % 3 = 0;

insert into article_themes by name
select distinct key_of(url || '|v') as score_id, t as theme
from (
    select *, unnest([
        ['diplomacy', 'trade', 'energy', 'finance', 'military', 'border', 'technology', 'taiwan', 'ukraine'][1 + (s % 9)::int],
        ['diplomacy', 'trade', 'energy', 'taiwan', 'ukraine'][1 + (h % 5)::int]
    ]) as t
    from batch
    where is_relevant
);

insert into entries by name
select
    feed_url, url, title, moment as published_at, moment::text as published_raw, url as guid, lead[1:150] as summary,
    moment + interval 15 minutes as first_seen_at, article_key(url) as article_id
from batch;

insert into fetches by name
select
    'run ' || (moment + interval 15 minutes)::date as run_id, 'page' as kind, url, feed_url, 'outlet' || no || '.example' as host,
    if(h2 % 37 = 0, 'no_text', 'scored')::outcome as outcome, moment + interval 20 minutes as fetched_at, 120 + (h % 900)::int as elapsed_ms,
    200 as http_status, 40000 + (h % 90000) as n_bytes, url as final_url, 'archive.warc.gz' as warc_file, i * 20000 as warc_offset,
    1 as n_attempts, '' as detail
from batch;
