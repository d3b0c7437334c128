-- The state of the feeds that this run polled.
-- grain: one row per feed    reads: new_states    safe to run twice
update feeds
set
    etag = s.etag, last_modified = s.last_modified, validators_untrusted = s.validators_untrusted,
    body_sha256 = s.body_sha256, last_polled_at = s.last_polled_at, last_ok_at = s.last_ok_at, last_new_at = s.last_new_at,
    last_unconditional_at = s.last_unconditional_at, failing_since = s.failing_since, silent_since = s.silent_since,
    n_failures = s.n_failures, n_gone = s.n_gone, interval_minutes = s.interval_minutes, next_poll_at = s.next_poll_at,
    standing = s.standing::standing, permanent_url = s.permanent_url, permanent_since = s.permanent_since
from new_states as s
where feeds.feed_url = s.feed_url and feeds.is_enabled
