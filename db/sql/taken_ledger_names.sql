-- Which of these names have ledgers taken? A name taken meanwhile fails the insert, and the batch
-- is decided again. Index ledgers_by_name.
SELECT l.organization_id, l.name
FROM unnest($1, $2) k (organization_id, name)
JOIN ledgers l ON l.organization_id = k.organization_id AND l.name = k.name
WHERE l.deleted_at IS NULL
