-- The unique indexes of every table, column by column; the primary key's first. The catalog.
SELECT c.relname, i.indexrelid::int8, a.attname
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE c.relnamespace = current_schema()::regnamespace AND i.indisunique AND i.indisvalid
ORDER BY c.relname, i.indisprimary DESC, i.indexrelid, k.place
