-- The first tables: what is monitored, what was asked for, what came, what it says.
-- Migrations are numbered, run once each in one transaction, and are never edited after a release.

create type side as enum ('china_state', 'russia_state', 'china_independent', 'russia_independent', 'third');
create type feed_kind as enum ('rss', 'atom', 'rdf', 'json_feed', 'news_sitemap', 'list_page');
create type standing as enum ('ok', 'slow', 'failing', 'silent', 'gone', 'disabled');
create type language as enum ('en', 'ru', 'zh');
create type outcome as enum (
    'fetched', 'not_modified', 'robots_denied', 'blocked_address', 'dns_error', 'tls_error', 'connect_error', 'network_down',
    'timeout', 'too_large', 'too_many_redirects', 'rate_limited', 'http_error', 'gone', 'host_down', 'too_old', 'bot_wall',
    'not_a_feed', 'not_html', 'no_text', 'other_language', 'parse_error', 'parse_timeout', 'parse_memory', 'scored'
);
create type plover_event as enum (
    'AGREE', 'CONSULT', 'SUPPORT', 'YIELD', 'COOPERATE', 'AID', 'REQUEST', 'ACCUSE', 'REJECT', 'THREATEN', 'PROTEST',
    'SANCTION', 'MOBILIZE', 'COERCE', 'ASSAULT'
);
create type quad as enum ('verbal_coop', 'material_coop', 'verbal_conflict', 'material_conflict');

comment on type side is 'Whose voice an outlet is.
china_state: media that the Chinese state or party owns or directs
russia_state: media that the Russian state owns or directs
china_independent: other media of China, Hong Kong included
russia_independent: other media of Russia, those in exile included
third: media of third countries';
comment on type feed_kind is 'What kind of document an address of feeds.csv holds.
rss: RSS 0.9 to 2.0
atom: Atom
rdf: RSS 1.0
json_feed: JSON Feed
news_sitemap: a sitemap with or without news tags
list_page: an HTML page whose links are the entries';
comment on type standing is 'How a feed does.
ok: answers in time
slow: answers after 10 seconds or more
failing: the last poll failed
silent: answers, nothing new for 7 days
gone: said 410 three times
disabled: not polled, as feeds.csv says';
comment on type "language" is 'Languages that are read, ISO 639-1.
en: English
ru: Russian
zh: Chinese';
comment on type outcome is 'How an attempt at a feed or page ended, and an article on its way to a score.
fetched: bytes arrived and were kept
not_modified: the server says that nothing changed (304)
robots_denied: robots.txt forbids the address to us
blocked_address: the address is not public, or port or scheme are not allowed
dns_error: the host has no address
tls_error: no secure connection
connect_error: no connection
network_down: nothing answered anywhere, our own network
timeout: no answer in time
too_large: more bytes, headers or elements than the limits allow
too_many_redirects: sent on and on
rate_limited: 429, or 503 with Retry-After
http_error: any other status of 400 and above
gone: 410
host_down: not asked, the host had failed several times in this run
too_old: older than the limit when first seen, not asked for
bot_wall: a challenge page instead of content
not_a_feed: the answer is no feed
not_html: the answer is no web page
no_text: the page holds no article text
other_language: neither English, Russian nor Chinese
parse_error: the parser refused it
parse_timeout: the parser was killed after its time limit
parse_memory: the parser was killed at its memory limit
scored: the article was read and scored';
comment on type plover_event is 'Kinds of events between the two sides, after PLOVER; Goldstein value in parentheses.
AGREE: signed, settled or promised cooperation (2.5)
CONSULT: meetings, visits, calls, talks (2.5)
SUPPORT: endorsement, joint vote or statement, affirmed ties (5)
YIELD: eased limits, dropped demands (4.5)
COOPERATE: joint or material activity, trade that flows (9.5)
AID: one-way help (10)
REQUEST: requests, demands, appeals (0)
ACCUSE: criticism, accusation, notes of protest (-3)
REJECT: refused offer, request, payment, visit (-2)
THREATEN: threats and warnings with repercussions (-3.5)
PROTEST: pickets and rallies (-5)
SANCTION: suspended, ended or banned; tariffs, walking out (-6)
MOBILIZE: troops or vessels moved (-5.5)
COERCE: arrest, expulsion, seizure, hacking (-7)
ASSAULT: force with injury (-9)';
comment on type quad is 'Words or deeds, with or against.
verbal_coop: words of cooperation
material_coop: deeds of cooperation
verbal_conflict: words of conflict
material_conflict: deeds of conflict';

-- Keys of long texts: 60 bits of SHA-256, the same on every machine; a clash among a million is likelier by cosmic ray.
create macro key_of(x) as ('0x' || sha256(x)[1:15])::bigint;
comment on macro key_of is 'Key of a text: 60 bits of its SHA-256.';

-- Twins of one article that can both be fetched share a key: http and https, with www, m or amp before the host or not,
-- with a slash at the end or not.
create macro article_key(url) as key_of(
    regexp_replace(
        regexp_replace(url, '^https?://(?:(?:www[0-9]?|m|mobile|amp|wap)\.)?([^/?]*\.[^/?]+)', '\1'),
        '/+(\?|$)', '\1'
    )
);
comment on macro article_key is 'The article_id of a canonical URL.';

create macro score_key(url, scorer_version, text_sha256) as key_of(
    concat_ws('|', article_key(url), scorer_version, text_sha256)
);
comment on macro score_key is 'The score_id of an article text and scorer version.';

create table runs (
    run_id text primary key,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    n_feeds integer not null check (n_feeds >= 0),
    n_entries integer not null check (n_entries >= 0),
    n_pages integer not null check (n_pages >= 0),
    n_articles integer not null check (n_articles >= 0),
    n_relevant integer not null check (n_relevant >= 0),
    n_backlog integer not null check (n_backlog >= 0),
    is_network_down boolean not null,
    free_bytes bigint not null check (free_bytes >= 0),
    database_bytes bigint not null check (database_bytes >= 0),
    checks struct("name" text, is_ok boolean, detail text)[] not null
);
comment on table runs is 'One row a run of the pipeline, with its named checks.';
comment on column runs.run_id is 'Airflow''s run id, or one that begins with cli.';
comment on column runs.started_at is 'When the run was planned, UTC.';
comment on column runs.finished_at is 'When its load began, UTC.';
comment on column runs.n_feeds is 'Feeds polled.';
comment on column runs.n_entries is 'Entries never seen before.';
comment on column runs.n_pages is 'Pages asked for.';
comment on column runs.n_articles is 'Articles new or revised.';
comment on column runs.n_relevant is 'Of these, articles with a relevance class above 0.';
comment on column runs.n_backlog is 'Entries left waiting for a later run.';
comment on column runs.is_network_down is 'Nothing answered anywhere: our own network, no feed''s fault.';
comment on column runs.free_bytes is 'Free on the disk of the data folder when the load began, bytes.';
comment on column runs.database_bytes is 'Size of the warehouse file when the load began, bytes.';
comment on column runs.checks is 'Named checks of the run: name, whether it held, and what was seen.';

create table feeds (
    feed_url text primary key,
    outlet text not null,
    language text not null,
    country text not null,
    side side not null,
    kind feed_kind not null,
    section text not null,
    time_zone text not null,
    is_enabled boolean not null,
    note text not null,
    standing standing not null,
    etag text,
    last_modified text,
    validators_untrusted boolean not null,
    body_sha256 text,
    last_polled_at timestamptz,
    last_ok_at timestamptz,
    last_new_at timestamptz,
    last_unconditional_at timestamptz,
    failing_since timestamptz,
    silent_since timestamptz,
    n_failures integer not null check (n_failures >= 0),
    n_gone integer not null check (n_gone >= 0),
    interval_minutes double not null check (interval_minutes between 10 and 1440),
    next_poll_at timestamptz,
    permanent_url text,
    permanent_since timestamptz
);
comment on table feeds is 'One row a monitored address of feeds.csv, with its standing.';
comment on column feeds.feed_url is 'Address of the feed, news sitemap or list page.';
comment on column feeds.outlet is 'Name of the publisher.';
comment on column feeds.language is 'Language that feeds.csv says, ISO 639-1.';
comment on column feeds.country is 'Country of the outlet, ISO 3166-1 alpha-2.';
comment on column feeds.side is 'Whose voice it is: state or independent media of either side, or a third country''s.';
comment on column feeds.kind is 'What kind of document stands there.';
comment on column feeds.section is 'Section of the outlet.';
comment on column feeds.time_zone is 'IANA time zone of dates that carry none.';
comment on column feeds.is_enabled is 'Whether it is polled; the note says why not.';
comment on column feeds.note is 'Remarks of feeds.csv.';
comment on column feeds.standing is 'ok; slow (10 s or more); failing; silent (answers, nothing new for 7 days); gone (410 three times); disabled.';
comment on column feeds.etag is 'ETag of the last answer, sent back as If-None-Match.';
comment on column feeds.last_modified is 'Last-Modified of the last answer, sent back as If-Modified-Since.';
comment on column feeds.validators_untrusted is 'The server said "not modified" of a feed that had changed; it is always read whole.';
comment on column feeds.body_sha256 is 'SHA-256 of the last body, hexadecimal.';
comment on column feeds.last_polled_at is 'Last attempt, UTC.';
comment on column feeds.last_ok_at is 'Last success, UTC.';
comment on column feeds.last_new_at is 'Last time that an entry was new, UTC.';
comment on column feeds.last_unconditional_at is 'Last full read, UTC; one is due every day.';
comment on column feeds.failing_since is 'First of the unbroken row of failures, UTC; null when the last poll succeeded.';
comment on column feeds.silent_since is 'Last new entry of a feed that has been silent for 7 days, UTC.';
comment on column feeds.n_failures is 'Failures in a row.';
comment on column feeds.n_gone is 'Answers 410 in a row.';
comment on column feeds.interval_minutes is 'Adaptive polling interval, 10 minutes to 24 hours.';
comment on column feeds.next_poll_at is 'When it is due again, UTC; null means now.';
comment on column feeds.permanent_url is 'Where the feed says it has moved for good (301, 308); asked there after three days of it.';
comment on column feeds.permanent_since is 'Since when it says so, UTC.';

create table fetches (
    run_id text not null,
    kind text not null check (kind in ('feed', 'page')),
    url text not null,
    feed_url text not null,
    host text not null,
    outcome outcome not null,
    fetched_at timestamptz not null,
    elapsed_ms integer not null check (elapsed_ms >= 0),
    http_status smallint,
    n_bytes bigint not null check (n_bytes >= 0),
    final_url text,
    warc_file text,
    warc_offset bigint,
    n_attempts smallint not null check (n_attempts >= 0),
    next_attempt_at timestamptz,
    detail text not null,
    primary key (run_id, kind, url)
);
comment on table fetches is 'One row an attempt at a feed or page: the ledger. Each ends in exactly one outcome word.';
comment on column fetches.run_id is 'The run that made the attempt.';
comment on column fetches.kind is 'feed or page.';
comment on column fetches.url is 'What was asked for.';
comment on column fetches.feed_url is 'The feed that it is or came from.';
comment on column fetches.host is 'Host of the URL.';
comment on column fetches.outcome is 'How it ended; docs/data_dictionary.md explains each word.';
comment on column fetches.fetched_at is 'When, UTC.';
comment on column fetches.elapsed_ms is 'Duration of the request, milliseconds.';
comment on column fetches.http_status is 'HTTP status, null when there was no answer.';
comment on column fetches.n_bytes is 'Size of the body after decompression, bytes.';
comment on column fetches.final_url is 'Address after redirects.';
comment on column fetches.warc_file is 'Archive file that holds the answer.';
comment on column fetches.warc_offset is 'Offset of its record there, bytes.';
comment on column fetches.n_attempts is 'Attempts at this page so far, this one included; 0 when it was not asked for.';
comment on column fetches.next_attempt_at is 'When it is tried again, UTC; null when the outcome is final.';
comment on column fetches.detail is 'Reason in words; empty when all went well.';

create table entries (
    feed_url text not null references feeds (feed_url),
    url text not null,
    title text not null,
    published_at timestamptz,
    published_raw text not null,
    guid text not null,
    summary text not null,
    first_seen_at timestamptz not null,
    changed_at timestamptz,
    article_id bigint,
    primary key (feed_url, url)
);
comment on table entries is 'One row an item of a feed, as the publisher announced it; the same page in two feeds is two rows.';
comment on column entries.feed_url is 'Feed that announced it.';
comment on column entries.url is 'Canonical URL of the page.';
comment on column entries.title is 'Newest title in the feed, plain text.';
comment on column entries.published_at is 'Date of the feed, UTC; null when it gives none that is usable.';
comment on column entries.published_raw is 'Date as the feed spells it.';
comment on column entries.guid is 'Identifier of the feed; not trusted as identity.';
comment on column entries.summary is 'Summary of the feed, plain text.';
comment on column entries.first_seen_at is 'First poll that showed it, UTC.';
comment on column entries.changed_at is 'Last poll that showed another title or date, UTC.';
comment on column entries.article_id is 'Article that its page became; null while there is none.';

create table stories (
    story_id bigint primary key,
    headline text not null,
    representative_article_id bigint not null,
    representative_score_id bigint not null,
    first_report_at timestamptz not null,
    last_report_at timestamptz not null,
    n_reports integer not null check (n_reports >= 1),
    n_texts integer not null check (n_texts between 1 and n_reports),
    n_outlets integer not null check (n_outlets >= 1),
    n_outlets_by_side struct(
        china_state integer, russia_state integer, china_independent integer, russia_independent integer, third integer
    ) not null,
    languages text[] not null,
    relevance double not null check (relevance between 0 and 1),
    direction double check (direction between -10 and 10),
    merged_into bigint,
    change_note text not null
);
comment on table stories is 'One row a happening: reports of the same event within some days, in any of the languages. Stories that merged into others stay: where merged_into is null leaves them out.';
comment on column stories.story_id is 'Stable identifier: key of the article that was its first report when it was formed.';
comment on column stories.headline is 'Headline of the representative report.';
comment on column stories.representative_article_id is 'Report that stands for the story.';
comment on column stories.representative_score_id is 'Its score, with which events, themes and evidence are found.';
comment on column stories.first_report_at is 'Earliest report, UTC.';
comment on column stories.last_report_at is 'Latest report, UTC.';
comment on column stories.n_reports is 'Articles in it, reprints counted.';
comment on column stories.n_texts is 'Independent texts in it, reprints not counted.';
comment on column stories.n_outlets is 'Outlets that report it.';
comment on column stories.n_outlets_by_side is 'The same for each side, 0 where it is silent: n_outlets_by_side.china_state and so on.';
comment on column stories.languages is 'Languages of its reports, sorted.';
comment on column stories.relevance is 'Highest relevance among its reports, 0..1.';
comment on column stories.direction is 'Mean direction of its independent texts, Goldstein -10..10.';
comment on column stories.merged_into is 'Story that took all of its reports; its figures are the last ones. Null for a story that stands.';
comment on column stories.change_note is 'Merges and splits, dated, in words, separated by semicolons; empty where there was none.';

create table articles (
    article_id bigint primary key,
    url text not null,
    feed_url text not null,
    outlet text not null,
    country text not null,
    side side not null,
    language language not null,
    title text not null,
    text text not null,
    author text not null,
    published_at timestamptz,
    published_at_source text check (published_at_source in ('feed', 'page', 'url')),
    first_seen_at timestamptz not null,
    fetched_at timestamptz not null,
    revised_at timestamptz,
    text_sha256 text not null,
    copy_of bigint,
    copy_share double check (copy_share between 0 and 1),
    story_id bigint
);
comment on table articles is 'One row an article, whatever number of feeds carry it; the newest text.';
comment on column articles.article_id is 'Key of the canonical URL, the same for http and https, www and m: 60 bits of a SHA-256.';
comment on column articles.url is 'Canonical URL.';
comment on column articles.feed_url is 'Feed that brought it first.';
comment on column articles.outlet is 'Publisher.';
comment on column articles.country is 'Country of the publisher, ISO 3166-1 alpha-2.';
comment on column articles.side is 'Whose voice the publisher is.';
comment on column articles.language is 'Language of the text: en, ru, zh.';
comment on column articles.title is 'Title, plain text.';
comment on column articles.text is 'Body, plain text, a line a paragraph.';
comment on column articles.author is 'Author as the page gives it; empty when unknown.';
comment on column articles.published_at is 'Publication, UTC; null when unknown, never the time of the crawl.';
comment on column articles.published_at_source is 'Where published_at comes from: feed, page or url.';
comment on column articles.first_seen_at is 'When its page was fetched first, UTC.';
comment on column articles.fetched_at is 'When this text was fetched, UTC.';
comment on column articles.revised_at is 'When a changed text was seen, UTC; null when it never changed.';
comment on column articles.text_sha256 is 'SHA-256 of title and text, hexadecimal.';
comment on column articles.copy_of is 'Earliest article of which this is a reprint, whole or cut.';
comment on column articles.copy_share is 'Share of this text''s word sequences that stand in that article, 0..1.';
comment on column articles.story_id is 'Story that it reports; null when it is not about the relation.';

create table scores (
    score_id bigint primary key,
    article_id bigint not null references articles (article_id),
    scorer_version text not null,
    text_sha256 text not null,
    scored_at timestamptz not null,
    relevance double not null check (relevance between 0 and 1),
    relevance_class tinyint not null check (relevance_class in (0, 1, 2)),
    direction double check (direction between -10 and 10),
    direction_class tinyint check (direction_class between -2 and 2),
    is_current boolean not null default false,
    check ((direction_class is null) = (relevance_class = 0)),
    check ((direction is null) = (direction_class is null))
);
comment on table scores is 'One row an article text and scorer version; the view current_scores shows the newest.';
comment on column scores.score_id is 'Key of article, scorer version and text.';
comment on column scores.article_id is 'Article that was scored.';
comment on column scores.scorer_version is 'Versions of scorer, codebook and weights.';
comment on column scores.text_sha256 is 'SHA-256 of the title and text that were scored.';
comment on column scores.scored_at is 'When, UTC.';
comment on column scores.relevance is 'Probability that the article is about the relation, 0..1.';
comment on column scores.relevance_class is '0 not about the relation, 1 touches it, 2 mainly about it.';
comment on column scores.direction is 'Mean Goldstein value of the events that go the way of direction_class, -10 (conflict) .. 10 (cooperation); 4 times the class where there are none; null at relevance class 0.';
comment on column scores.direction_class is 'How the article leaves the two sides: -2 clear conflict .. 2 clear cooperation; null at relevance class 0.';
comment on column scores.is_current is 'The newest score of the article''s newest text: the one that counts.';

create table events (
    score_id bigint not null references scores (score_id),
    event_no smallint not null check (event_no >= 0),
    type plover_event not null,
    quad quad not null,
    goldstein double not null check (goldstein between -10 and 10),
    source text not null,
    target text not null,
    sentence_no integer check (sentence_no >= 0),
    primary key (score_id, event_no)
);
comment on table events is 'One row an event that a score found: who did what to whom, in PLOVER''s types.';
comment on column events.score_id is 'Score that found it.';
comment on column events.event_no is 'Number within the score, from 0.';
comment on column events.type is 'PLOVER event type.';
comment on column events.quad is 'Quad class of the type.';
comment on column events.goldstein is 'Goldstein value of the type, -10 .. 10.';
comment on column events.source is 'Side that acts: its code, such as CN or RU; BOTH, here and in target, where they act together.';
comment on column events.target is 'Side acted upon.';
comment on column events.sentence_no is 'Sentence that tells it, from 0, as in evidence; null when it is the title.';

create table evidence (
    score_id bigint not null references scores (score_id),
    sentence_no integer not null check (sentence_no >= 0),
    sentence text not null,
    primary key (score_id, sentence_no)
);
comment on table evidence is 'One row a sentence on which a score rests.';
comment on column evidence.score_id is 'Score that rests on it.';
comment on column evidence.sentence_no is 'Number of the sentence in the text, from 0.';
comment on column evidence.sentence is 'The sentence, in the language of the article.';

create table article_actors (
    score_id bigint not null references scores (score_id),
    actor_id text not null,
    "name" text not null,
    side text not null,
    primary key (score_id, actor_id)
);
comment on table article_actors is 'One row an actor that a scored article names.';
comment on column article_actors.score_id is 'Score that found it.';
comment on column article_actors.actor_id is 'Identifier in the codebook.';
comment on column article_actors."name" is 'Canonical English name.';
comment on column article_actors.side is 'Side that the actor belongs to: its code, such as CN or RU; not the side of the outlet.';

create table article_themes (
    score_id bigint not null references scores (score_id),
    theme text not null,
    primary key (score_id, theme)
);
comment on table article_themes is 'One row a theme in which a scored article says something about the two sides.';
comment on column article_themes.score_id is 'Score that found it.';
comment on column article_themes.theme is 'Theme: agriculture, arctic, border, central_asia, culture, diplomacy, energy, environment, finance, health, korea, law, media, migration, military, multilateral, sanctions, security, taiwan, technology, trade or ukraine.';

-- ── the index behind search(): reports about the relation, word by word ─────────────────────────────────────────────

create table search_terms (
    term_id integer primary key,
    term text not null unique
);
comment on table search_terms is 'One row a term of the search index: the stem of a Latin or Cyrillic word, or two neighbouring Han characters.';
comment on column search_terms.term_id is 'Number of the term.';
comment on column search_terms.term is 'The stem, in small letters.';

create table search_words (
    word text primary key,
    term_id integer not null references search_terms (term_id)
);
comment on table search_words is 'One row a word form that reports use, and its term: a reader needs no stemmer.';
comment on column search_words.word is 'Word in small letters, or two neighbouring Han characters.';
comment on column search_words.term_id is 'Its term.';

create table search_documents (
    article_id bigint primary key references articles (article_id),
    n_words integer not null check (n_words >= 0)
);
comment on table search_documents is 'One row a searchable article: those about the relation.';
comment on column search_documents.article_id is 'The article.';
comment on column search_documents.n_words is 'Its length: words of title, text and evidence with their weights.';

-- No key: an index over tens of millions of rows would cost more than all it speeds up.
create table search_postings (
    term_id integer not null,
    article_id bigint not null,
    weight smallint not null check (weight > 0)
);
comment on table search_postings is 'One row a term and article in which it occurs.';
comment on column search_postings.term_id is 'The term.';
comment on column search_postings.article_id is 'The article.';
comment on column search_postings.weight is 'How often it occurs: in the text once, in the title three times, in evidence twice.';

-- '⺀' is where the scripts of East Asia begin. A counted repetition such as {2,40} of this class makes RE2 200 times slower.
create macro search_words_of(x) as flatten(list_transform(
    list_filter(
        regexp_extract_all(translate(lower(x), 'ё', 'е'), '\p{Han}+|(?:[^\P{L}\p{Han}]|\p{M}|\p{N})+'),
        lambda part: length(part) > 1 or part >= '⺀'
    ),
    lambda part: if(part >= '⺀' and length(part) > 2, list_transform(range(1, length(part)), lambda i: part[i:i + 1]), [part[:40]])
));
comment on macro search_words_of is 'The words of a text as the search index holds them: small letters; Han characters two by two.';

create table alerts (
    rule text not null,
    subject text not null,
    opened_at timestamptz not null,
    closed_at timestamptz check (closed_at >= opened_at),
    severity text not null check (severity in ('critical', 'warning', 'notice')),
    message text not null,
    detail text not null,
    advice text not null,
    opened_by text not null references runs (run_id),
    closed_by text references runs (run_id),
    primary key (rule, subject, opened_at),
    check ((closed_at is null) = (closed_by is null))
);
comment on table alerts is 'One row an alert: opened once by the run that saw it first, closed by the run that saw it no more.';
comment on column alerts.rule is 'Rule of alerts.csv that held.';
comment on column alerts.subject is 'What it is about: a feed, an outlet, a check.';
comment on column alerts.opened_at is 'When, UTC.';
comment on column alerts.closed_at is 'When it was over, UTC; null while it is open.';
comment on column alerts.severity is 'critical, warning or notice, as alerts.csv says.';
comment on column alerts.message is 'What happened, in a sentence.';
comment on column alerts.detail is 'What was seen; empty when the message says all.';
comment on column alerts.advice is 'What to do.';
comment on column alerts.opened_by is 'Run that opened it.';
comment on column alerts.closed_by is 'Run that closed it.';

create table article_places (
    score_id bigint not null references scores (score_id),
    place_id text not null,
    primary key (score_id, place_id)
);
comment on table article_places is 'One row a place or third country that the opening of a scored article names.';
comment on column article_places.score_id is 'Score that found it.';
comment on column article_places.place_id is 'Identifier: side, kind and name, such as ru-region-amur-oblast; or third-XX, the country XX, ISO 3166-1 alpha-2.';
