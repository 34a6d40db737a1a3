-- A page of organizations, by id, from $1 on but not $2: both are the cursor. Without one they are
-- the nil id (the default organization) and NULL. Primary key.
SELECT id, name, created_at FROM organizations
WHERE id >= $1 AND id IS DISTINCT FROM $2 ORDER BY id LIMIT $3
