-- The closed vocabularies and the macros, in the words of their comments.
-- grain: one row per enum type or macro
select 'type' as kind, type_name as "name", labels as members, "comment"
from duckdb_types()
where logical_type = 'ENUM' and not internal and database_name = current_database()
union all
select 'macro', function_name, "parameters", "comment"
from duckdb_functions()
where function_type like '%macro' and not internal and database_name = current_database()
order by kind, "name"
