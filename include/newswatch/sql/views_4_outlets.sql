-- Outlets and their feeds: who reports how much and how, and who has stopped answering.

create or replace view outlet_profile as
with
volumes as (
    select
        outlet, count(*) as n_articles, count(revised_at) as n_revised,
        -- Of its newest article: feeds.csv may have been corrected since the others came.
        arg_max(country, (first_seen_at, article_id)) as country, arg_max(side, (first_seen_at, article_id)) as side
    from articles
    group by outlet
),
own as (
    select
        outlet, count(*) as n_reports, count(distinct story_id) as n_stories, avg(is_original::int) as original_share,
        avg(direction) as direction, stddev_samp(direction) / sqrt(count(*)) as direction_se,
        min(report_date) as first_date, max(report_date) as last_date
    from reports
    group by outlet
),
story_outlets as (
    select story_id, outlet, avg(direction) as direction, min((reported_at, article_id)) filter (where has_time) as first_report
    from reports
    group by story_id, outlet
),
compared as (
    select
        outlet,
        direction - (sum(direction) over story - direction) / nullif(count(*) over story - 1, 0) as difference,
        first_report = min(first_report) over story as is_first,
        count(*) over story > 1 as is_shared
    from story_outlets
    window story as (partition by story_id)
),
comparisons as (
    select
        outlet, count(*) filter (where is_shared) as n_shared_stories,
        count(*) filter (where is_shared and is_first) as n_first,
        avg(difference) as direction_difference, stddev_samp(difference) / sqrt(count(difference)) as direction_difference_se
    from compared
    group by outlet
),
theme_counts as (
    select r.outlet, t.theme, count(*) as k
    from reports as r
    join article_themes as t using (score_id)
    group by r.outlet, t.theme
),
theme_odds as (
    select
        outlet, theme, k, k / sum(k) over (partition by outlet) as share,
        (sum(k) over (partition by theme) - k) / nullif(sum(k) over () - sum(k) over (partition by outlet), 0) as share_of_others,
        log_odds_z(
            k, sum(k) over (partition by outlet), sum(k) over (partition by theme) - k,
            sum(k) over () - sum(k) over (partition by outlet), sum(k) over (partition by theme) / sum(k) over (), 100
        ) as z
    from theme_counts
),
themes as (
    select
        outlet,
        list({'theme': theme, 'n_reports': k, 'share': share, 'share_of_others': share_of_others, 'z': z} order by z desc, theme)
            as themes
    from theme_odds
    group by outlet
)
select
    v.outlet, v.country, v.side, v.n_articles, v.n_revised, coalesce(o.n_reports, 0) as n_reports,
    coalesce(o.n_stories, 0) as n_stories, coalesce(o.n_reports, 0) / v.n_articles as report_share, o.original_share,
    o.direction, o.direction_se, coalesce(c.n_shared_stories, 0) as n_shared_stories, coalesce(c.n_first, 0) as n_first,
    c.direction_difference, c.direction_difference_se, coalesce(t.themes, []) as themes, o.first_date, o.last_date
from volumes as v
left join own as o using (outlet)
left join comparisons as c using (outlet)
left join themes as t using (outlet);
comment on view outlet_profile is 'One row an outlet: how much it reports on the relation, in which direction, on what, and how that differs from the others.';
comment on column outlet_profile.outlet is 'Publisher.';
comment on column outlet_profile.country is 'Country of the publisher, as its newest article has it.';
comment on column outlet_profile.side is 'Whose voice it is, as its newest article has it.';
comment on column outlet_profile.n_articles is 'Articles, whatever they are about.';
comment on column outlet_profile.n_revised is 'Articles whose text was changed after the first reading.';
comment on column outlet_profile.n_reports is 'Articles about the relation.';
comment on column outlet_profile.n_stories is 'Stories that it reported.';
comment on column outlet_profile.report_share is 'Share of its articles that are about the relation, 0..1.';
comment on column outlet_profile.original_share is 'Share of its reports that are no reprints, 0..1.';
comment on column outlet_profile.direction is 'Mean direction of its reports, reprints counted; Goldstein -10 .. 10.';
comment on column outlet_profile.direction_se is 'Standard error of that mean.';
comment on column outlet_profile.n_shared_stories is 'Stories that other outlets reported as well.';
comment on column outlet_profile.n_first is 'Of these, stories of which it had the first report. Reports with a day alone, without a time, are left out.';
comment on column outlet_profile.direction_difference is 'Mean of its direction minus the others'' on the same stories: its slant, free of what it chooses to report.';
comment on column outlet_profile.direction_difference_se is 'Standard error of that mean.';
comment on column outlet_profile.themes is 'Themes with counts and shares, those that set it apart first; z above 2 is more than chance.';
comment on column outlet_profile.first_date is 'Day of its first report.';
comment on column outlet_profile.last_date is 'Day of its last report.';

create or replace view feed_health as
with
week as (
    select * from fetches where fetched_at > (select max(fetched_at) from fetches) - interval 7 days
),
polls as (
    select
        feed_url, count(*) as n_polls, avg((outcome in ('fetched', 'not_modified'))::int) as ok_share,
        median(elapsed_ms) as elapsed_ms, arg_max(outcome, fetched_at) as last_outcome, arg_max(detail, fetched_at) as last_detail
    from week
    where kind = 'feed'
    group by feed_url
),
pages as (
    select
        feed_url, count(*) filter (where n_attempts > 0) as n_pages, count(*) filter (where outcome = 'scored') as n_scored,
        count(*) filter (where outcome in ('no_text', 'bot_wall', 'not_html')) as n_without_text
    from week
    where kind = 'page'
    group by feed_url
),
news as (
    select feed_url, count(*) as n_entries
    from entries
    where first_seen_at > (select max(fetched_at) from fetches) - interval 7 days
    group by feed_url
),
hits as (
    select a.feed_url, count(*) as n_reports
    from articles as a
    join scores as s using (article_id)
    where s.is_current and s.relevance_class > 0 and a.first_seen_at > (select max(fetched_at) from fetches) - interval 7 days
    group by a.feed_url
)
select
    f.feed_url, f.outlet, f.side, f.language, f.standing, coalesce(f.failing_since, f.silent_since) as since,
    f.last_polled_at, f.last_new_at, f.next_poll_at, f.interval_minutes, f.n_failures,
    coalesce(p.n_polls, 0) as n_polls, p.ok_share, p.elapsed_ms, p.last_outcome, p.last_detail,
    coalesce(n.n_entries, 0) as n_entries, coalesce(g.n_pages, 0) as n_pages, coalesce(g.n_scored, 0) as n_scored,
    coalesce(g.n_without_text, 0) as n_without_text, coalesce(h.n_reports, 0) as n_reports
from feeds as f
left join polls as p using (feed_url)
left join pages as g using (feed_url)
left join news as n using (feed_url)
left join hits as h using (feed_url);
comment on view feed_health is 'One row a feed: its standing, and what it brought in the 7 days before the newest request.';
comment on column feed_health.feed_url is 'Address of the feed, news sitemap or list page.';
comment on column feed_health.outlet is 'Publisher.';
comment on column feed_health.side is 'Whose voice it is.';
comment on column feed_health.language is 'Language that feeds.csv says.';
comment on column feed_health.standing is 'ok, slow, failing, silent, gone, disabled; docs/operations.md says what to do.';
comment on column feed_health.since is 'Since when it fails or is silent, UTC.';
comment on column feed_health.last_polled_at is 'Last attempt, UTC.';
comment on column feed_health.last_new_at is 'Last time that an entry was new, UTC.';
comment on column feed_health.next_poll_at is 'When it is due again, UTC; null means now.';
comment on column feed_health.interval_minutes is 'Adaptive polling interval.';
comment on column feed_health.n_failures is 'Failures in a row.';
comment on column feed_health.n_polls is 'Polls in the 7 days.';
comment on column feed_health.ok_share is 'Share of these that succeeded, 0..1.';
comment on column feed_health.elapsed_ms is 'Median duration of these, milliseconds.';
comment on column feed_health.last_outcome is 'How the last of these ended.';
comment on column feed_health.last_detail is 'Its reason in words; empty when all went well.';
comment on column feed_health.n_entries is 'Entries first seen in the 7 days.';
comment on column feed_health.n_pages is 'Pages asked for in the 7 days.';
comment on column feed_health.n_scored is 'Of these, articles read and scored.';
comment on column feed_health.n_without_text is 'Of these, pages that hold no article: no text, a wall, no HTML.';
comment on column feed_health.n_reports is 'Articles about the relation first seen in the 7 days.';
