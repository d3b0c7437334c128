-- Stories that no article reports any more.
-- grain: one row per story    reads: articles    safe to run twice
delete from stories
where story_id not in (select story_id from articles where story_id is not null)
