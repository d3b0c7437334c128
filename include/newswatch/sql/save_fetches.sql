-- The ledger of the run: one row an attempt; what became of a page that arrived is told by new_extractions.
-- grain: one row per run, kind and url    reads: new_fetches, new_extractions    params: $run_id    safe to run twice
insert into fetches by name
select
    $run_id as run_id, f.kind, f.url, f.feed_url, f.host,
    coalesce(e.outcome, f.outcome)::outcome as outcome,
    f.fetched_at, f.elapsed_ms, f.http_status, f.n_bytes, f.final_url, f.warc_file, f.warc_offset, f.n_attempts,
    -- A page that arrived and was lost on the way to a score (a killed task) is asked for again at once.
    case when f.kind = 'page' and f.outcome = 'fetched' and e.outcome is null then f.fetched_at else f.next_attempt_at end
        as next_attempt_at,
    coalesce(e.detail, f.detail) as detail
from new_fetches as f
left join new_extractions as e on f.kind = 'page' and e.entry_url = f.url
qualify row_number() over (partition by f.kind, f.url order by f.fetched_at) = 1
on conflict do nothing
