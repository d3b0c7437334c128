-- What feeds.csv says now; state that earlier runs left stays.
-- grain: one row per feed    reads: new_feeds    safe to run twice
insert into feeds by name
select
    url as feed_url, outlet, "language", country, side::side as side, kind::feed_kind as kind, section, time_zone,
    enabled as is_enabled, note, if(enabled, 'ok', 'disabled')::standing as standing,
    false as validators_untrusted, 0 as n_failures, 0 as n_gone, 30 as interval_minutes
from new_feeds
on conflict (feed_url) do update set
    outlet = excluded.outlet, "language" = excluded."language", country = excluded.country, side = excluded.side,
    kind = excluded.kind, section = excluded.section, time_zone = excluded.time_zone, is_enabled = excluded.is_enabled,
    note = excluded.note,
    standing = case
        when not excluded.is_enabled then 'disabled'::standing
        when feeds.standing = 'disabled' then 'ok'::standing
        else feeds.standing
    end
