-- Stories: how they spread, how the sides framed them.

create or replace view story_timeline as
select
    r.story_id,
    coalesce(s.headline, r.title) as headline,
    if(r.has_time, row_number() over story, null) as report_no,
    r.reported_at,
    if(r.has_time, epoch(r.reported_at - first(r.reported_at) over story) / 3600, null) as hours_after_first,
    r.outlet, r.country, r.side, r.language, r.title, r.url, r.is_original, r.direction, r.article_id, r.score_id
from reports as r
left join stories as s using (story_id)
window story as (partition by r.story_id order by r.has_time desc, r.reported_at, r.article_id);
comment on view story_timeline is 'One row a report of a story, numbered in the order of publication: who was first, who followed and when.';
comment on column story_timeline.story_id is 'Story; the article''s own id where it stands alone.';
comment on column story_timeline.headline is 'Headline of the report that stands for the story.';
comment on column story_timeline.report_no is 'Place in the order of publication, 1 is the first report; null where the publisher gives a day alone.';
comment on column story_timeline.reported_at is 'Publication, UTC; a day without a time at its noon; where the publisher gives none, when the page was fetched first.';
comment on column story_timeline.hours_after_first is 'Hours after the first report; null where the publisher gives a day alone.';
comment on column story_timeline.outlet is 'Publisher.';
comment on column story_timeline.country is 'Country of the publisher.';
comment on column story_timeline.side is 'Whose voice the publisher is.';
comment on column story_timeline.language is 'Language of the report.';
comment on column story_timeline.title is 'Title of the report.';
comment on column story_timeline.url is 'Address of the report.';
comment on column story_timeline.is_original is 'Not a reprint of an earlier article.';
comment on column story_timeline.direction is 'Direction of the report, Goldstein -10 .. 10.';
comment on column story_timeline.article_id is 'Key of articles.';
comment on column story_timeline.score_id is 'Key of the current score: joins events, evidence, article_actors, article_places, article_themes.';

-- How much more frequent something is here (k of n) than elsewhere (m of o), as a z-score: the difference of the log-odds
-- under a Dirichlet prior of the size `size` that holds what is usual (Monroe, Colaresi and Quinn 2008, "Fightin' Words").
-- What occurs nowhere, or everywhere, has no odds.
create or replace macro log_odds_z(k, n, m, o, usual, size) as if(usual > 0 and usual < 1, (
    ln((k + size * usual) / (n - k + size * (1 - usual))) - ln((m + size * usual) / (o - m + size * (1 - usual)))
) / sqrt(1 / (k + size * usual) + 1 / (m + size * usual)), null);
comment on macro log_odds_z is 'How much more frequent something is here (k of n) than elsewhere (m of o), as a z-score; usual: its usual share, null where that is 0 or 1; size: weight of that prior.';

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
comment on view framing is 'One row a story and side: how each side''s media told it. The words that set a side apart: from framing_words(story_id).';
comment on column framing.story_id is 'Story; the article''s own id where it stands alone.';
comment on column framing.headline is 'Headline of the report that stands for the story.';
comment on column framing.side is 'Whose media the row is about.';
comment on column framing.n_reports is 'Reports of that side, reprints counted.';
comment on column framing.n_outlets is 'Outlets of that side that report it.';
comment on column framing.first_report_at is 'First report of that side, UTC.';
comment on column framing.direction is 'Mean direction of that side''s independent texts, of its reprints where it has nothing else; Goldstein -10 .. 10.';
comment on column framing.direction_difference is 'That direction minus the mean of the other sides''; null where no other side reports it.';
comment on column framing.themes is 'Themes of that side''s reports, the most frequent first.';
comment on column framing.title is 'Title of that side''s most relevant report.';

-- A macro and not a column of the view: over all stories at once it would weigh millions of words.
-- Words are compared within a language, independent texts alone, each word counted once a text.
create or replace macro framing_words(story) as table
with
texts as (
    select r.side, r.language, p.term_id, count(*) as k
    from (select article_id, side, "language" from reports where story_id = story and is_original) as r
    join search_postings as p using (article_id)
    group by r.side, r.language, p.term_id
),
-- The share that a term has of all words of all reports: what is frequent everywhere needs more to stand out.
usual as (
    select term_id, count(*) / (select count(*) from search_postings) as share
    from search_postings
    where term_id in (select term_id from texts)
    group by term_id
),
compared as (
    select
        side, "language", term_id, k, sum(k) over (partition by side, "language") as n,
        sum(k) over (partition by "language", term_id) - k as m,
        sum(k) over (partition by "language") - sum(k) over (partition by side, "language") as o
    from texts
),
forms as (
    select term_id, min_by(word, (length(word), word)) as word
    from search_words
    where term_id in (select term_id from texts)
    group by term_id
)
select c.side, c.language, f.word, c.k as n_texts, c.m::bigint as n_texts_of_others, log_odds_z(c.k, c.n, c.m, c.o, u.share, 1000) as z
from compared as c
join usual as u using (term_id)
join forms as f using (term_id)
where c.o > 0 and c.k > c.m
order by c.side, c.language, z desc, f.word;
comment on macro table framing_words is 'Words that set a side''s texts on one story apart from the others'' in the same language, the strongest first; z: log-odds with a prior. `from framing_words(story_id)` gives side, language, word, n_texts, n_texts_of_others, z.';

create or replace view actor_pairs as
select
    r.report_date, e.source, e.target, e.type, e.quad,
    count(distinct r.article_id) as n_reports, count(distinct r.story_id) as n_stories, avg(e.goldstein) as goldstein
from reports as r
join events as e using (score_id)
group by r.report_date, e.source, e.target, e.type, e.quad;
comment on view actor_pairs is 'One row a day, acting side, side acted upon and kind of event: who did what to whom. Reports add up over days; a story that is told on two days counts on both.';
comment on column actor_pairs.report_date is 'Day of the reports, UTC; not of the event.';
comment on column actor_pairs.source is 'Side that acts: its code, such as CN or RU; BOTH, here and in target, where they act together.';
comment on column actor_pairs.target is 'Side acted upon.';
comment on column actor_pairs.type is 'PLOVER event type.';
comment on column actor_pairs.quad is 'Quad class of the type.';
comment on column actor_pairs.n_reports is 'Reports that tell it, reprints counted.';
comment on column actor_pairs.n_stories is 'Stories in which it is told.';
comment on column actor_pairs.goldstein is 'Mean Goldstein value of the events, -10 .. 10.';
