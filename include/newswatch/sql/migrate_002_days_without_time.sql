-- A publication date may be a day alone, and then says nothing of who was first. Of the dates that are there already the
-- ones from addresses are such. And a score that was replaced may become the current one again, dated anew.
alter table articles add column if not exists has_time boolean default true;
comment on column articles.has_time is 'False where the publisher gives a day alone: published_at is then noon at the outlet, or the moment of reading if that was earlier, and the report is not taken for the first of its story.';
comment on column articles.published_at is 'Publication, UTC; a day without a time is its noon (has_time); null when unknown.';
update articles set has_time = false where published_at_source = 'url';
comment on column scores.scored_at is 'When, UTC; the last time, where a text was changed and changed back.';
