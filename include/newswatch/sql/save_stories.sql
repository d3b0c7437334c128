-- Stories with their figures as they are now; their notes stay.
-- grain: one row per story    reads: new_stories    safe to run twice
insert into stories by name
select *, '' as change_note from new_stories
on conflict (story_id) do update set
    headline = excluded.headline, representative_article_id = excluded.representative_article_id,
    representative_score_id = excluded.representative_score_id,
    first_report_at = excluded.first_report_at, last_report_at = excluded.last_report_at,
    n_reports = excluded.n_reports, n_texts = excluded.n_texts, n_outlets = excluded.n_outlets,
    n_outlets_by_side = excluded.n_outlets_by_side, languages = excluded.languages,
    relevance = excluded.relevance, direction = excluded.direction, merged_into = null
