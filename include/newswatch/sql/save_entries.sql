-- Items of feeds; a changed title or date is noted with its moment.
-- grain: one row per feed and url    reads: new_entries    params: $seen_at    safe to run twice
insert into entries by name
select feed_url, url, title, published_at, published_raw, guid, summary, $seen_at as first_seen_at
from new_entries
qualify row_number() over (partition by feed_url, url) = 1
on conflict (feed_url, url) do update set
    changed_at = if(
        entries.title is distinct from excluded.title or entries.published_raw is distinct from excluded.published_raw,
        $seen_at, entries.changed_at
    ),
    title = excluded.title,
    published_at = coalesce(excluded.published_at, entries.published_at),
    published_raw = excluded.published_raw,
    summary = excluded.summary
