-- Events of the scores.
-- grain: one row per score and event    reads: new_scores, scores    safe to run twice
insert into events
select
    s.score_id, i - 1 as event_no, e.type::plover_event, e.quad::quad, e.goldstein, e.source, e.target, e.sentence_no
from new_scores as n
join scores as s on s.score_id = score_key(n.url, n.score.scorer_version, n.text_sha256)
cross join unnest(n.score.events) with ordinality as t(e, i)
on conflict do nothing
