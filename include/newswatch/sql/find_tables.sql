-- The tables of the file, parents before their children.
-- grain: one row per table
select table_name as "name"
from duckdb_tables()
where database_name = current_database()
order by table_oid
