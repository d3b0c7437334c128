-- Alerts for what holds now and is not open yet.
-- grain: one row per rule and subject    reads: new_findings    params: $run_id, $now    safe to run twice
insert into alerts by name
select rule, subject, $now as opened_at, severity, message, detail, advice, $run_id as opened_by
from new_findings
where not exists (
    from alerts as a where a.rule = new_findings.rule and a.subject = new_findings.subject and a.closed_at is null
)
