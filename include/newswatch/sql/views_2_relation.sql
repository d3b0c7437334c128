-- The index of the relation by day, with its uncertainty, its baseline and what stands out of it.
-- docs/method.md, "How the index is made", gives the formulas and their reasons. The numbers below, with the same names there:
--   5 stories: fewer in a day and nothing is claimed       90 days before a day are its baseline, the day itself left out
--   28 baseline days: fewer and there is no baseline       8 days of a weekday: fewer and there is no weekday effect
--   1.4826: turns a median absolute deviation of a normal distribution into its standard deviation
--   z of 3: stands out                                     sqrt(n + 3/8) * 2: counts with noise of 1 whatever their size

-- Quantile .975 of Student's t with df degrees of freedom (Abramowitz and Stegun 26.7.5), within 2 % from df 4 on.
create or replace macro t_975(df) as 1.95996 + 2.37227 / df + 2.82255 / df ** 2 + 2.55585 / df ** 3;
comment on macro t_975 is 'Quantile .975 of Student''s t with df degrees of freedom, within 2 % from 4 on.';

-- By runs, not by articles: an old page that is imported was not collected on its day, and an outage leaves no article at all.
create or replace view collected_days as
select distinct utc_date(started_at) as report_date
from runs
where n_feeds > 0 and not is_network_down;
comment on view collected_days is 'One row a day on which feeds were polled while our own network was up: only there does no story mean that nothing was reported.';
comment on column collected_days.report_date is 'Day, UTC.';

create or replace view relation_series as
with
series_reports as (
    select 'all' as series, 'all' as "value", report_date, story_id, relevance, direction, is_original from reports
    union all
    select 'side', side::text, report_date, story_id, relevance, direction, is_original from reports
    union all
    select 'language', "language"::text, report_date, story_id, relevance, direction, is_original from reports
    union all
    select 'theme', t.theme, r.report_date, r.story_id, r.relevance, r.direction, r.is_original
    from reports as r
    join article_themes as t using (score_id)
),
-- Each story once: its highest relevance, the mean direction of its independent texts.
story_days as (
    select
        series, "value", report_date, story_id, count(*) as n_reports, max(relevance) as w,
        coalesce(avg(direction) filter (where is_original), avg(direction)) as d
    from series_reports
    group by series, "value", report_date, story_id
),
sums as (
    select
        series, "value", report_date, count(*) as n_stories, sum(n_reports)::bigint as n_reports,
        sum(w * d) / nullif(sum(w), 0) as direction_index,
        sum(w) as w, sum(w * w) as ww, sum(w * w * d) as wwd, sum(w * w * d * d) as wwdd
    from story_days
    group by series, "value", report_date
),
daily as (
    select
        series, "value", report_date, n_stories, n_reports, direction_index,
        -- Standard error of a weighted mean (Cochran); below 0 only by rounding.
        if(n_stories > 1,
            sqrt(greatest(wwdd - 2 * direction_index * wwd + direction_index ** 2 * ww, 0) * n_stories / (n_stories - 1)) / w,
            null) as direction_se
    from sums
),
days as (
    select
        series, "value", report_date, d.direction_index, d.direction_se, c.report_date is not null as is_collected,
        coalesce(d.n_stories, 0) as n_stories, coalesce(d.n_reports, 0) as n_reports,
        coalesce(d.n_stories, 0) >= 5 as is_claimed
    from (from collected_days cross join (select distinct series, "value" from daily)) as c
    full join daily as d using (series, "value", report_date)
),
-- What a day adds to the baseline of later ones. Reports of other days were imported, or came late: they are not all there was.
measured as (
    select
        *, isodow(report_date) as weekday,
        if(is_claimed and is_collected, direction_index, null) as direction_x,
        if(is_collected, 2 * sqrt(n_stories + 0.375), null) as stories_x
    from days
),
medians as (
    select
        *,
        median(direction_x) over past as direction_mid, count(direction_x) over past as n_direction_days,
        median(stories_x) over past as stories_mid, count(stories_x) over past as n_stories_days
    from measured
    window past as (
        partition by series, "value" order by report_date range between interval 90 days preceding and interval 1 day preceding
    )
),
weekdays as (
    select
        *,
        if(count(direction_x) over past >= 8, median(direction_x - direction_mid) over past, 0) as direction_weekday,
        if(count(stories_x) over past >= 8, median(stories_x - stories_mid) over past, 0) as stories_weekday
    from medians
    window past as (
        partition by series, "value", weekday
        order by report_date range between interval 90 days preceding and interval 1 day preceding
    )
),
spreads as (
    select
        *,
        median(abs(direction_x - direction_mid - direction_weekday)) over past as direction_mad,
        median(abs(stories_x - stories_mid - stories_weekday)) over past as stories_mad
    from weekdays
    window past as (
        partition by series, "value" order by report_date range between interval 90 days preceding and interval 1 day preceding
    )
),
judged as (
    select
        *,
        -- The scale is never below the noise of the day itself: its sampling error, or that of a Poisson count, which is 1.
        if(is_claimed and n_direction_days >= 28,
            (direction_index - direction_mid - direction_weekday) / nullif(greatest(1.4826 * direction_mad, direction_se), 0),
            null) as direction_z,
        if(n_stories_days >= 28, (stories_x - stories_mid - stories_weekday) / greatest(1.4826 * stories_mad, 1), null) as stories_z
    from spreads
)
select
    series, "value", report_date, n_stories, n_reports, direction_index, direction_se,
    if(n_stories > 1, greatest(direction_index - t_975(n_stories - 1) * direction_se, -10), null) as direction_low,
    if(n_stories > 1, least(direction_index + t_975(n_stories - 1) * direction_se, 10), null) as direction_high,
    is_claimed,
    n_direction_days as n_baseline_days,
    direction_mid as direction_median, direction_mad, direction_weekday as direction_weekday_effect,
    if(n_direction_days >= 28, direction_mid + direction_weekday - 2 * 1.4826 * direction_mad, null) as baseline_low,
    if(n_direction_days >= 28, direction_mid + direction_weekday + 2 * 1.4826 * direction_mad, null) as baseline_high,
    direction_z,
    coalesce(abs(direction_z) >= 3, false) as is_shift,
    if(n_stories_days >= 28, greatest((stories_mid + stories_weekday) ** 2 / 4 - 0.375, 0), null) as stories_expected,
    stories_z,
    coalesce(stories_z >= 3 and is_claimed, false) as is_burst
from judged;
comment on view relation_series is 'One row a day and series: the whole relation, each side''s media, each language, each theme. Days on which news was collected and nothing came have 0 stories; reports of other days have their rows, but make no baseline.';
comment on column relation_series.series is 'What the row is cut by: all, side, language or theme.';
comment on column relation_series."value" is 'Which side, language or theme; all for the whole.';
comment on column relation_series.report_date is 'Day, UTC. The newest day is incomplete until it is over.';
comment on column relation_series.n_stories is 'Stories reported on that day.';
comment on column relation_series.n_reports is 'Reports of that day, reprints counted.';
comment on column relation_series.direction_index is 'Index: mean direction of the day''s stories, each counted once and weighted by its relevance; Goldstein scale -10 .. 10.';
comment on column relation_series.direction_se is 'Standard error of the index, from the spread of the stories; null for a single story.';
comment on column relation_series.direction_low is 'Lower end of the 95 % interval of the index.';
comment on column relation_series.direction_high is 'Upper end of the 95 % interval of the index.';
comment on column relation_series.is_claimed is 'At least 5 stories: below that the index is shown, but nothing is claimed and it enters no baseline.';
comment on column relation_series.n_baseline_days is 'Collected days with a claimed index among the 90 days before; below 28 there is no baseline and no z.';
comment on column relation_series.direction_median is 'Median of the index over these days.';
comment on column relation_series.direction_mad is 'Median absolute deviation of the index from what was expected on these days.';
comment on column relation_series.direction_weekday_effect is 'By how much this weekday differs from the median, as a rule; 0 while fewer than 8 such days are known.';
comment on column relation_series.baseline_low is 'Lower end of the usual band: what is expected minus two robust standard deviations.';
comment on column relation_series.baseline_high is 'Upper end of the usual band.';
comment on column relation_series.direction_z is 'How far the index is from what was expected, in robust standard deviations, or in standard errors where these are larger.';
comment on column relation_series.is_shift is 'The index stands out: direction_z of 3 and more either way.';
comment on column relation_series.stories_expected is 'Stories to expect on that day, from the 90 days before and the weekday.';
comment on column relation_series.stories_z is 'How far the number of stories is from that, on the scale 2 * sqrt(n + 3/8), where counting noise is 1; null where the day was not collected.';
comment on column relation_series.is_burst is 'Many more stories than expected: stories_z of 3 and more, and at least 5 stories.';

create or replace view relation_daily as
select * exclude (series, "value") from relation_series where series = 'all';
comment on view relation_daily is 'One row a day: stories, reports, the index of direction with its uncertainty, its baseline and what stands out. The same by side, language and theme: relation_series.';
comment on column relation_daily.report_date is 'Day, UTC. The newest day is incomplete until it is over.';
comment on column relation_daily.n_stories is 'Stories reported on that day.';
comment on column relation_daily.n_reports is 'Reports of that day, reprints counted.';
comment on column relation_daily.direction_index is 'Index: mean direction of the day''s stories, each counted once and weighted by its relevance; Goldstein scale -10 .. 10.';
comment on column relation_daily.direction_se is 'Standard error of the index, from the spread of the stories; null for a single story.';
comment on column relation_daily.direction_low is 'Lower end of the 95 % interval of the index.';
comment on column relation_daily.direction_high is 'Upper end of the 95 % interval of the index.';
comment on column relation_daily.is_claimed is 'At least 5 stories: below that the index is shown, but nothing is claimed and it enters no baseline.';
comment on column relation_daily.n_baseline_days is 'Collected days with a claimed index among the 90 days before; below 28 there is no baseline and no z.';
comment on column relation_daily.direction_median is 'Median of the index over these days.';
comment on column relation_daily.direction_mad is 'Median absolute deviation of the index from what was expected on these days.';
comment on column relation_daily.direction_weekday_effect is 'By how much this weekday differs from the median, as a rule; 0 while fewer than 8 such days are known.';
comment on column relation_daily.baseline_low is 'Lower end of the usual band: what is expected minus two robust standard deviations.';
comment on column relation_daily.baseline_high is 'Upper end of the usual band.';
comment on column relation_daily.direction_z is 'How far the index is from what was expected, in robust standard deviations, or in standard errors where these are larger.';
comment on column relation_daily.is_shift is 'The index stands out: direction_z of 3 and more either way.';
comment on column relation_daily.stories_expected is 'Stories to expect on that day, from the 90 days before and the weekday.';
comment on column relation_daily.stories_z is 'How far the number of stories is from that, on the scale 2 * sqrt(n + 3/8), where counting noise is 1; null where the day was not collected.';
comment on column relation_daily.is_burst is 'Many more stories than expected: stories_z of 3 and more, and at least 5 stories.';
