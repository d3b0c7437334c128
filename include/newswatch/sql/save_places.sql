-- Places that the openings of scored articles name.
-- grain: one row per score and place    reads: new_scores, scores    safe to run twice
insert into article_places
select s.score_id, place
from new_scores as n
join scores as s on s.score_id = score_key(n.url, n.score.scorer_version, n.text_sha256)
cross join unnest(n.score.places) as p(place)
on conflict do nothing
