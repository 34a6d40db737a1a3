-- Revoked from the given instants on. Primary key; the rows are locked.
UPDATE api_keys a SET revoked_at = u.revoked_at
FROM unnest($1, $2) u (id, revoked_at) WHERE a.id = u.id
