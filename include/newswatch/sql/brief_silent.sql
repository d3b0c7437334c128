-- Outlets that reported on a third of the twenty-eight days before a period, and on none of its own.
-- grain: one row per outlet    params: $first_day, $last_day (dates, UTC)
select
    outlet, any_value(side)::text as side,
    count(distinct report_date) filter (where report_date < $first_day) as n_usual_days, max(report_date) as last_report_date
from reports
where report_date between $first_day - 28 and $last_day
group by outlet
having n_usual_days >= 9 and max(report_date) < $first_day
order by n_usual_days desc, outlet
