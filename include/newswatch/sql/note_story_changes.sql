-- Merges and splits, written behind what was noted before.
-- grain: one row per story    reads: new_story_changes    safe to run twice
update stories
set
    merged_into = c.merged_into,
    change_note = concat_ws('; ', nullif(stories.change_note, ''), c.note)
from (
    select story_id, any_value(merged_into) as merged_into, string_agg(change_note, '; ' order by change_note) as note
    from new_story_changes
    group by story_id
) as c
where stories.story_id = c.story_id and not contains(stories.change_note, c.note)
