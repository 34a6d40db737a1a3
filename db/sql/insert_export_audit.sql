-- What happened to exports, as the commit that recorded it says.
INSERT INTO export_audit (export_id, id, type, request_id) SELECT u.* FROM unnest($1, $2, $3, $4) u
