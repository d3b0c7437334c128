-- The run itself, written last: its presence says that the load is complete.
-- grain: one row per run    params: $run_id, $started_at, $finished_at, $n_backlog, $is_network_down, $free_bytes, $database_bytes, $checks    safe to run twice
insert into runs by name
select
    $run_id as run_id, $started_at as started_at, $finished_at as finished_at,
    (select count(*) from fetches where run_id = $run_id and kind = 'feed') as n_feeds,
    (select count(*) from entries where first_seen_at = $started_at) as n_entries,
    (select count(*) from fetches where run_id = $run_id and kind = 'page' and n_attempts > 0) as n_pages,
    (select count(*) from new_scores) as n_articles,
    (select count(*) from new_scores where score.relevance_class > 0) as n_relevant,
    $n_backlog as n_backlog, $is_network_down as is_network_down, $free_bytes as free_bytes,
    $database_bytes as database_bytes, $checks as checks
on conflict do nothing
