-- Which score of an article counts: the newest of its newest text. Looks at the articles of this run only.
-- grain: one row per score    reads: new_extractions, new_scores, articles    safe to run twice
with
touched as (
    select article_key(url) as article_id from new_scores
    union
    select article_key(article.url) from new_extractions where article is not null
),
newest as (
    select s.score_id
    from scores as s
    join articles as a using (article_id, text_sha256)
    where s.article_id in (select article_id from touched)
    qualify row_number() over (partition by s.article_id order by s.scored_at desc, s.score_id desc) = 1
)
update scores
set is_current = score_id in (select score_id from newest)
where article_id in (select article_id from touched)
