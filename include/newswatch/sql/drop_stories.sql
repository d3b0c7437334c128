-- Stories that no article reports any more, but for those that merged into another.
-- grain: one row per story    reads: articles    safe to run twice
delete from stories
where merged_into is null and story_id not in (select story_id from articles where story_id is not null)
