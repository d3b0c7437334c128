-- Themes of scored articles.
-- grain: one row per score and theme    reads: new_scores, scores    safe to run twice
insert into article_themes
select s.score_id, theme
from new_scores as n
join scores as s on s.score_id = score_key(n.url, n.score.scorer_version, n.text_sha256)
cross join unnest(n.score.themes) as t(theme)
on conflict do nothing
