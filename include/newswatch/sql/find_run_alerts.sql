-- What one run opened and closed.
-- grain: one row per alert    params: $run_id
select rule, subject, severity, message, detail, advice, opened_by = $run_id as is_opened
from alerts
where opened_by = $run_id or closed_by = $run_id
order by is_opened desc, severity, rule, subject
