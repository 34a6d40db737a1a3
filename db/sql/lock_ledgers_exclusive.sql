-- The ledgers that a batch may change or delete: waits until nobody books in them. Primary key.
SELECT l.id, l.organization_id, l.name, l.asset_code, l.asset_scale, l.kind, l.posting,
    l.royalty_percent, l.drain, l.accounts, l.issuers, l.created_at
FROM unnest($1) k (id) JOIN ledgers l ON l.id = k.id
WHERE l.deleted_at IS NULL
ORDER BY l.id FOR UPDATE OF l
