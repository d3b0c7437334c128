"""A synthetic warehouse of any size, seeded: texts of the corpus put together anew, in outlets that do not exist."""

from __future__ import annotations

from datetime import datetime

from include.newswatch import archive, warehouse
from include.newswatch.model import ExtractedPage
from tests.conftest import ROOT

CHUNK = 50_000  # articles; more at a time takes gigabytes of memory
OUTLETS = """
create or replace temp table outlets as
select
    row_number() over () - 1 as no, 'Outlet ' || row_number() over () as outlet, v.*,
    'https://outlet' || (row_number() over () - 1) || '.example/feed' as feed_url
from (
    select unnest(
        [
            {'language': 'zh', 'country': 'CN', 'side': 'china_state'},
            {'language': 'en', 'country': 'CN', 'side': 'china_state'},
            {'language': 'ru', 'country': 'RU', 'side': 'russia_state'},
            {'language': 'en', 'country': 'RU', 'side': 'russia_state'},
            {'language': 'ru', 'country': 'RU', 'side': 'russia_independent'},
            {'language': 'en', 'country': 'GB', 'side': 'third'},
            {'language': 'zh', 'country': 'HK', 'side': 'china_independent'},
            {'language': 'en', 'country': 'US', 'side': 'third'}
        ],
        recursive := true
    )
    from range(3)
) as v;
insert into feeds by name
select
    feed_url, outlet, "language", country, side::side as side, 'rss' as kind, '' as section, 'UTC' as time_zone,
    true as is_enabled, '' as note, if(no = 5, 'failing', 'ok')::standing as standing, false as validators_untrusted,
    $until as last_polled_at, if(no = 5, $until - interval 3 days, null) as failing_since, 0 as n_failures, 0 as n_gone,
    30 as interval_minutes
from outlets;
create or replace temp table pool as
select
    lang as "language", title, "text" as body, lang || (row_number() over (partition by lang order by id) - 1) as "key"
from read_json($corpus)
where title <> '';
"""
REST = """
update articles
set story_id = t.story_id, copy_of = if(t.is_copy, t.story_id, null), copy_share = if(t.is_copy, 0.9, null)
from (
    select article_id, story_id, article_id % 9 = 0 and article_id <> story_id as is_copy
    from (
        select article_key(url) as article_id, min(article_key(url)) over (partition by story_day, slot) as story_id
        from relevant
    )
) as t
where t.article_id = articles.article_id;
insert into stories by name
select
    story_id, arg_max(title, relevance) as headline, arg_max(article_id, relevance) as representative_article_id,
    arg_max(score_id, relevance) as representative_score_id,
    {
        'china_state': count(distinct outlet) filter (where side = 'china_state'),
        'russia_state': count(distinct outlet) filter (where side = 'russia_state'),
        'china_independent': count(distinct outlet) filter (where side = 'china_independent'),
        'russia_independent': count(distinct outlet) filter (where side = 'russia_independent'),
        'third': count(distinct outlet) filter (where side = 'third')
    } as n_outlets_by_side,
    list(distinct "language"::text order by "language"::text) as languages,
    min(reported_at) as first_report_at, max(reported_at) as last_report_at, count(*) as n_reports, count(*) as n_texts,
    count(distinct outlet) as n_outlets, max(relevance) as relevance, avg(direction) as direction, '' as change_note
from reports
group by story_id;
insert into runs by name
select
    'run ' || day::date as run_id, day as started_at, day + interval 10 minutes as finished_at,
    24 as n_feeds, 100 as n_entries, 100 as n_pages, 100 as n_articles, 5 as n_relevant, 0 as n_backlog,
    false as is_network_down, 0 as free_bytes,
    0 as database_bytes, [] as checks
from unnest(generate_series($until - to_days($n_days), $until, interval 1 day)) as r (day);
insert into fetches by name
select
    'poll ' || minute as run_id, 'feed' as kind, feed_url as url, feed_url, 'outlet' || no || '.example' as host,
    if(no = 5, 'timeout', 'fetched')::outcome as outcome, minute as fetched_at, 300 as elapsed_ms, 200 as http_status,
    20000 as n_bytes, 1 as n_attempts, if(no = 5, 'no answer in 30 s', '') as detail
from outlets, unnest(generate_series($until - interval 20 days, $until, interval 30 minutes)) as r (minute);
"""


def fill(
    connection: warehouse.Connection, n_articles: int, n_days: int, until: datetime, *, every: int = 20, seed: int = 1
) -> None:
    """Fill an empty warehouse with the articles of n_days days that end with `until`; one of `every` is a report."""
    params = {"n": n_articles, "n_days": n_days, "every": every, "until": until, "seed": seed}
    _run(connection, OUTLETS, until=until, corpus=str(ROOT / "training" / "corpus" / "*.jsonl"))
    connection.execute("create or replace temp table relevant (url text, story_day bigint, slot int)")
    connection.register("new_extractions", archive.to_table([], ExtractedPage))
    for first in range(0, n_articles, CHUNK):
        chunk = params | {"first": first, "last": min(first + CHUNK, n_articles)}
        _run(connection, (ROOT / "tests" / "synthetic.sql").read_text(encoding="utf-8"), **chunk)
        connection.execute("insert into relevant select url, story_day, slot from batch where is_relevant")
        connection.execute("create or replace temp view new_scores as select url from batch where is_relevant")
        connection.execute(warehouse.read_sql("index_reports"))
    _run(connection, REST, **params)
    connection.execute("drop view new_scores")


def _run(connection: warehouse.Connection, sql: str, **params: object) -> None:
    for statement in warehouse.duckdb.extract_statements(sql):
        connection.execute(
            statement, {name: value for name, value in params.items() if name in statement.named_parameters}
        )
