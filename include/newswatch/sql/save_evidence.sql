-- Sentences on which the scores rest.
-- grain: one row per score and sentence    reads: new_scores, scores    safe to run twice
insert into evidence
select s.score_id, e.sentence_no, e.sentence
from new_scores as n
join scores as s on s.score_id = score_key(n.url, n.score.scorer_version, n.text_sha256)
cross join unnest(n.score.evidence) as t(e)
on conflict do nothing
