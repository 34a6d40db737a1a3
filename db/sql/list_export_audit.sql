-- A page of what happened to an export, newest first, with id < $2. Primary key.
SELECT a.id, a.export_id, a.type, a.request_id
FROM export_audit a WHERE a.export_id = $1 AND a.id < $2
ORDER BY a.id DESC LIMIT $3
