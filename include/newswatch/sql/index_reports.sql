-- The search index of the articles of this run that are about the relation.
-- grain: one row per term and article    reads: new_extractions, new_scores, articles, reports, evidence    safe to run twice
create or replace temp table touched as
select article_key(url) as article_id from new_scores
union
select article_key(article.url) from new_extractions where article is not null;

delete from search_postings where article_id in (from touched);
delete from search_documents where article_id in (from touched);

create or replace temp table new_words as
with
parts as (
    select article_id, 1 as weight, unnest(search_words_of(a."text")) as word
    from reports as r
    join articles as a using (article_id)
    where article_id in (from touched)
    union all
    select article_id, 3, unnest(search_words_of(title)) from reports where article_id in (from touched)
    union all
    select r.article_id, 1, unnest(search_words_of(e.sentence))
    from reports as r
    join evidence as e using (score_id)
    where r.article_id in (from touched)
)
select article_id, word, sum(weight) as weight from parts group by article_id, word;

create or replace temp table unknown_words as
select
    word,
    case
        when regexp_matches(word, '\p{Cyrillic}') then stem(word, 'russian')
        when regexp_matches(word, '\p{Latin}') then stem(word, 'english')
        else word
    end as term
from (select distinct word from new_words)
where word not in (select word from search_words);

insert into search_terms
select coalesce((select max(term_id) from search_terms), 0) + row_number() over (order by term), term
from (select distinct term from unknown_words)
where term not in (select term from search_terms);

insert into search_words
select u.word, t.term_id from unknown_words as u join search_terms as t using (term);

insert into search_postings
select w.term_id, n.article_id, least(sum(n.weight), 30000)
from new_words as n
join search_words as w using (word)
group by w.term_id, n.article_id
order by w.term_id, n.article_id;

insert into search_documents
select article_id, sum(weight) from new_words group by article_id;
