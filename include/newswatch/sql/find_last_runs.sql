-- The newest runs with their named checks.
-- grain: one row per run
select
    run_id, started_at, finished_at, n_feeds, n_entries, n_pages, n_articles, n_relevant, n_backlog, is_network_down,
    free_bytes, database_bytes, checks
from runs
order by started_at desc, run_id desc
limit 30
