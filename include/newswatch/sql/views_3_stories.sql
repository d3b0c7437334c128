-- Stories: how they spread, how the sides framed them.

create or replace view story_timeline as
select
    r.story_id,
    coalesce(s.headline, r.title) as headline,
    row_number() over story as report_no,
    r.reported_at,
    epoch(r.reported_at - min(r.reported_at) over story) / 3600 as hours_after_first,
    r.outlet, r.country, r.side, r.language, r.title, r.url, r.is_original, r.direction, r.article_id, r.score_id
from reports as r
left join stories as s using (story_id)
window story as (partition by r.story_id order by r.reported_at, r.article_id);
comment on view story_timeline is 'One row a report of a story, numbered in the order of publication: who was first, who followed and when.';
comment on column story_timeline.story_id is 'Story; the article''s own id where it stands alone.';
comment on column story_timeline.headline is 'Headline of the report that stands for the story.';
comment on column story_timeline.report_no is 'Place in the order of publication, 1 is the first report.';
comment on column story_timeline.reported_at is 'Publication, UTC.';
comment on column story_timeline.hours_after_first is 'Hours after the first report.';
comment on column story_timeline.outlet is 'Publisher.';
comment on column story_timeline.country is 'Country of the publisher.';
comment on column story_timeline.side is 'Whose voice the publisher is.';
comment on column story_timeline.language is 'Language of the report.';
comment on column story_timeline.title is 'Title of the report.';
comment on column story_timeline.url is 'Address of the report.';
comment on column story_timeline.is_original is 'Not a reprint of an earlier article.';
comment on column story_timeline.direction is 'Direction of the report, Goldstein -10 .. 10.';
comment on column story_timeline.article_id is 'Key of articles.';
comment on column story_timeline.score_id is 'Key of the current score: joins events, evidence, article_actors, article_themes.';

create or replace view framing as
with
story_sides as (
    select
        story_id, side, count(*) as n_reports, count(distinct outlet) as n_outlets, min(reported_at) as first_report_at,
        coalesce(avg(direction) filter (where is_original), avg(direction)) as direction,
        arg_max(title, (relevance, -article_id)) as title
    from reports
    group by story_id, side
),
story_themes as (
    select story_id, side, list(theme order by n desc, theme) as themes
    from (
        select r.story_id, r.side, t.theme, count(*) as n
        from reports as r
        join article_themes as t using (score_id)
        group by all
    )
    group by story_id, side
)
select
    f.story_id, coalesce(s.headline, f.title) as headline, f.side, f.n_reports, f.n_outlets, f.first_report_at, f.direction,
    f.direction - (sum(f.direction) over sides - f.direction) / nullif(count(f.direction) over sides - 1, 0) as direction_difference,
    coalesce(t.themes, []) as themes,
    f.title
from story_sides as f
left join story_themes as t using (story_id, side)
left join stories as s using (story_id)
window sides as (partition by f.story_id);
comment on view framing is 'One row a story and side: how each side''s media told it.';
comment on column framing.story_id is 'Story; the article''s own id where it stands alone.';
comment on column framing.headline is 'Headline of the report that stands for the story.';
comment on column framing.side is 'Whose media the row is about.';
comment on column framing.n_reports is 'Reports of that side, reprints counted.';
comment on column framing.n_outlets is 'Outlets of that side that report it.';
comment on column framing.first_report_at is 'First report of that side, UTC.';
comment on column framing.direction is 'Mean direction of that side''s independent texts, Goldstein -10 .. 10.';
comment on column framing.direction_difference is 'That direction minus the mean of the other sides''; null where no other side reports it.';
comment on column framing.themes is 'Themes of that side''s reports, the most frequent first.';
comment on column framing.title is 'Title of that side''s most relevant report.';

create or replace view actor_pairs as
select
    r.report_date, e.source, e.target, e.type, e.quad,
    count(distinct r.article_id) as n_reports, count(distinct r.story_id) as n_stories, avg(e.goldstein) as goldstein
from reports as r
join events as e using (score_id)
group by r.report_date, e.source, e.target, e.type, e.quad;
comment on view actor_pairs is 'One row a day, acting side, side acted upon and kind of event: who did what to whom. Sum over days for a longer time.';
comment on column actor_pairs.report_date is 'Day of the reports, UTC; not of the event.';
comment on column actor_pairs.source is 'Side that acts.';
comment on column actor_pairs.target is 'Side acted upon.';
comment on column actor_pairs.type is 'PLOVER event type.';
comment on column actor_pairs.quad is 'Quad class of the type.';
comment on column actor_pairs.n_reports is 'Reports that tell it, reprints counted.';
comment on column actor_pairs.n_stories is 'Stories in which it is told.';
comment on column actor_pairs.goldstein is 'Mean Goldstein value of the events, -10 .. 10.';
