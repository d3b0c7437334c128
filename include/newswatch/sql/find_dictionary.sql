-- What every table, view and column holds, in the words of its comment.
-- grain: one row per column
with
objects as (
    select table_name, 'table' as kind, "comment" from duckdb_tables() where not internal and database_name = current_database()
    union all
    select view_name, 'view', "comment" from duckdb_views() where not internal and database_name = current_database()
),
keys as (
    select table_name, unnest(constraint_column_names) as column_name, true as is_key
    from duckdb_constraints()
    where constraint_type = 'PRIMARY KEY' and database_name = current_database()
),
links as (
    select table_name, unnest(constraint_column_names) as column_name, referenced_table as refers_to
    from duckdb_constraints()
    where constraint_type = 'FOREIGN KEY' and database_name = current_database()
),
vocabularies as (
    select type_name, 'ENUM(' || list_aggregate(list_transform(labels, lambda x: '''' || x || ''''), 'string_agg', ', ') || ')' as spelt
    from duckdb_types()
    where logical_type = 'ENUM' and not internal and database_name = current_database()
)
select
    o.kind, c.table_name, o."comment" as table_comment, c.column_name, coalesce(v.type_name, lower(c.data_type)) as data_type,
    coalesce(k.is_key, false) as is_key, l.refers_to, not c.is_nullable and o.kind = 'table' as is_required, c."comment"
from duckdb_columns() as c
join objects as o using (table_name)
left join keys as k using (table_name, column_name)
left join links as l using (table_name, column_name)
left join vocabularies as v on v.spelt = c.data_type
where c.database_name = current_database() and not c.internal and c.table_name <> 'migrations'
order by o.kind, c.table_name, c.column_index
