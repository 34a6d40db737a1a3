-- A page of an organization's keys, by id. Index api_keys_of_organization.
SELECT a.id, a.organization_id, a.name, a.scopes, a.digest, a.created_at, a.revoked_at
FROM api_keys a WHERE a.organization_id = $1 AND a.id > $2 ORDER BY a.id LIMIT $3
