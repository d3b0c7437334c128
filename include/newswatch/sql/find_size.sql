-- How much of the file is free.
-- grain: one row
select database_name as "name", free_blocks / greatest(total_blocks, 1) as free_share
from pragma_database_size()
where database_name = current_database()
