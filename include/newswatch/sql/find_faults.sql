-- What must not be, whatever happened: a row that refers to none, a text that is not what its digest says.
-- grain: one row per kind of fault
select 'texts that differ from their digest' as fault, count(*) as n, min(url) as example
from articles
where sha256(concat(title, chr(10), "text")) <> text_sha256
union all
select 'articles twice', count(*), min(url)
from (select url from articles group by url having count(*) > 1)
union all
select 'articles under a wrong key', count(*), min(url)
from articles
where article_id <> article_key(url)
union all
select 'entries of an article that is not there', count(*), min(e.url)
from entries as e
anti join articles as a using (article_id)
where e.article_id is not null
union all
select 'articles without a score that counts', count(*), min(a.url)
from articles as a
anti join current_scores as c using (article_id)
union all
select 'articles with two scores that count', count(*), min(article_id)::text
from (select article_id from current_scores group by article_id having count(*) > 1)
union all
select 'ledger rows of a run that is not there', count(*), min(f.run_id)
from fetches as f
anti join runs as r using (run_id)
union all
select 'relevant scores without evidence or event', count(*), min(s.score_id)::text
from scores as s
anti join evidence as e using (score_id)
anti join events as v using (score_id)
where s.relevance_class = 2
order by fault
