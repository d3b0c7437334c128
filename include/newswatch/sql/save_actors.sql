-- Actors that scored articles name.
-- grain: one row per score and actor    reads: new_scores, scores    safe to run twice
insert into article_actors
select s.score_id, a.id, a."name", a.side
from new_scores as n
join scores as s on s.score_id = score_key(n.url, n.score.scorer_version, n.text_sha256)
cross join unnest(n.score.actors) as t(a)
on conflict do nothing
