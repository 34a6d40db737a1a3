-- The keys that a batch may revoke, locked in ascending order of ids. Primary key.
SELECT a.id, a.organization_id, a.name, a.scopes, a.digest, a.created_at, a.revoked_at
FROM unnest($1) k (id) JOIN api_keys a ON a.id = k.id
ORDER BY a.id FOR UPDATE OF a
