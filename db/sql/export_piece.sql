-- Up to $3 bytes of the export $1 from byte $2 on, as far as one chunk goes: the last one that
-- does not begin behind it. Primary key.
SELECT substring(c.data, ($2 - c.start)::int4 + 1, $3::int4)
FROM export_chunks c WHERE c.export_id = $1 AND c.start <= $2
ORDER BY c.start DESC LIMIT 1
