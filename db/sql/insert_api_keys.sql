-- New API keys: only the digest of the secret.
INSERT INTO api_keys (id, organization_id, name, scopes, digest, created_at, revoked_at)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
