-- Articles with what is held of them now: what every other view stands on.
-- Views are made anew whenever the warehouse is opened: they are code, not data.

-- A bare ::date would give the day in the time zone of the reader's session; epoch_us knows none.
create or replace macro utc_date(moment) as make_timestamp(epoch_us(moment))::date;
comment on macro utc_date is 'Day of a moment, UTC, whatever the time zone of the session.';

create or replace view current_scores as
select * from scores where is_current;
comment on view current_scores is 'One row an article: the newest score of its newest text, whatever its relevance.';

create or replace view reports as
select
    a.article_id,
    coalesce(a.published_at, a.first_seen_at) as reported_at, a.has_time,
    utc_date(coalesce(a.published_at, a.first_seen_at)) as report_date,
    coalesce(a.story_id, a.article_id) as story_id,
    a.outlet, a.country, a.side, a.language,
    coalesce(nullif(a.title, ''), a.url) as title, a.url, a.published_at, a.first_seen_at, a.revised_at,
    a.copy_of is null as is_original, a.copy_of,
    s.score_id, s.relevance, s.relevance_class, s.direction, s.direction_class, s.scorer_version
from articles as a
join scores as s using (article_id)
where s.is_current and s.relevance_class > 0;
comment on view reports is 'One row an article about the relation, with its current score. Articles about other things are left out.';
comment on column reports.article_id is 'Key of articles, where the text is.';
comment on column reports.reported_at is 'Publication, UTC; where the publisher gives none, when the page was fetched first.';
comment on column reports.has_time is 'False where the publisher gives a day alone: reported_at is then its noon, or the moment of reading if that was earlier, and the report is not taken for the first of its story.';
comment on column reports.report_date is 'Day of reported_at, UTC.';
comment on column reports.story_id is 'Story that it reports; its own article_id while it stands alone.';
comment on column reports.outlet is 'Publisher; that it is an agency is not marked.';
comment on column reports.country is 'Country of the publisher, ISO 3166-1 alpha-2.';
comment on column reports.side is 'Whose voice the publisher is.';
comment on column reports.language is 'Language of the text: en, ru, zh.';
comment on column reports.title is 'Title, plain text; where neither page nor feed has one, the URL.';
comment on column reports.url is 'Canonical URL.';
comment on column reports.published_at is 'Publication, UTC; null when unknown.';
comment on column reports.first_seen_at is 'When its page was fetched first, UTC.';
comment on column reports.revised_at is 'When a changed text was seen, UTC; null when it never changed.';
comment on column reports.is_original is 'Not a reprint of an earlier article.';
comment on column reports.copy_of is 'Key of the earliest article of which this is a reprint, whole or cut; of the same outlet, too.';
comment on column reports.score_id is 'Key of the current score: joins events, evidence, article_actors, article_places, article_themes.';
comment on column reports.relevance is 'Probability that the article is about the relation, 0..1.';
comment on column reports.relevance_class is '1 touches the relation, 2 is mainly about it.';
comment on column reports.direction is 'Mean Goldstein value of the events that go the way of direction_class, -10 (conflict) .. 10 (cooperation); 4 times the class where there are none.';
comment on column reports.direction_class is 'How the article leaves the two sides: -2 clear conflict .. 2 clear cooperation.';
comment on column reports.scorer_version is 'Versions of scorer, codebook and weights.';
comment on column current_scores.score_id is 'Key of article, scorer version and text.';
comment on column current_scores.article_id is 'Article that was scored.';
comment on column current_scores.scorer_version is 'Versions of scorer, codebook and weights.';
comment on column current_scores.text_sha256 is 'SHA-256 of the title and text that were scored.';
comment on column current_scores.scored_at is 'When, UTC; the last time, where a text was changed and changed back.';
comment on column current_scores.relevance is 'Probability that the article is about the relation, 0..1.';
comment on column current_scores.relevance_class is '0 not about the relation, 1 touches it, 2 mainly about it.';
comment on column current_scores.direction is 'Mean Goldstein value of the events that go the way of direction_class, -10 (conflict) .. 10 (cooperation); 4 times the class where there are none; null at relevance class 0.';
comment on column current_scores.direction_class is 'How the article leaves the two sides: -2 clear conflict .. 2 clear cooperation; null at relevance class 0.';
comment on column current_scores.is_current is 'Always true here.';
