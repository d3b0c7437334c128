-- Alerts that are over: their rule was judged and does not hold any more.
-- grain: one row per rule and subject    reads: new_findings    params: $run_id, $now, $judged (rules)    safe to run twice
update alerts
set closed_at = $now, closed_by = $run_id
where closed_at is null
    and list_contains($judged, rule)
    and (rule, subject) not in (select (rule, subject) from new_findings)
