-- Who is calling? Revoked keys are found too: the caller says what that means. Index on digest.
SELECT a.id, a.organization_id, a.name, a.scopes, a.digest, a.created_at, a.revoked_at
FROM api_keys a WHERE a.digest = ANY ($1)
