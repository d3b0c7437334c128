-- Full text search in plain SQL: readers need no extension, and no network to fetch one.
-- A form that no report uses goes to the longest term that it begins with, short of up to four letters of ending.

create or replace macro search(query) as table
with
asked as (
    select distinct
        w.word,
        coalesce(s.term_id, (
            select arg_max(t.term_id, length(t.term))
            from search_terms as t
            where starts_with(w.word, t.term) and length(t.term) >= greatest(4, length(w.word) - 4)
        )) as term_id
    from (select unnest(search_words_of(query)) as word) as w
    left join search_words as s using (word)
),
hits as (
    select p.article_id, p.term_id, p.weight
    from search_postings as p
    where p.term_id in (select term_id from asked)
),
rarity as (
    select term_id, ln(1 + ((select count(*) from search_documents) - count(*) + 0.5) / (count(*) + 0.5)) as idf
    from hits
    group by term_id
),
found as (
    select
        h.article_id,
        sum(r.idf * h.weight * 2.2 / (h.weight + 1.2 * (0.25 + 0.75 * d.n_words / (select avg(n_words) from search_documents))))
            as match
    from hits as h
    join rarity as r using (term_id)
    join search_documents as d using (article_id)
    group by h.article_id
    having count(*) = (select count(distinct term_id) + count(*) filter (where term_id is null) from asked)
)
select
    f.match, r.report_date, r.outlet, r.side, r.language, r.title, r.direction, r.url, r.story_id, r.article_id, r.score_id
from found as f
join reports as r using (article_id)
order by f.match desc, r.article_id;
comment on macro table search is 'Reports about the relation that hold all words of a question, in any form, the best first (BM25). `from search(''one-China principle'')` gives match, report_date, outlet, side, language, title, direction, url, story_id, article_id, score_id; join reports for other columns.';
