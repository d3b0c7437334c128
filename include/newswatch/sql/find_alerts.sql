-- Open alerts, then those that were closed in the fourteen days up to and with one day.
-- grain: one row per alert    params: $day (date, UTC)
select rule, subject, severity, message, detail, advice, opened_at, closed_at
from alerts
where closed_at is null or closed_at >= $day - interval 13 days
order by closed_at desc nulls first, array_position(['critical', 'warning', 'notice'], severity), opened_at desc, rule, subject
