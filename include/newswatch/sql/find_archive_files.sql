-- Archive files that the ledger names.
-- grain: one row per file    params: $since (moment of the fetch)
select distinct warc_file
from fetches
where warc_file is not null and fetched_at >= $since
order by warc_file
