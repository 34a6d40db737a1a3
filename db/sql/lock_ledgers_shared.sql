-- The ledgers that a batch books in. The weakest lock that keeps them from being deleted or
-- changed before the batch has committed; batches do not wait for each other. Primary key.
SELECT l.id, l.organization_id, l.name, l.asset_code, l.asset_scale, l.kind, l.posting,
    l.royalty_percent, l.drain, l.accounts, l.issuers, l.created_at
FROM unnest($1) k (id) JOIN ledgers l ON l.id = k.id
WHERE l.deleted_at IS NULL
ORDER BY l.id FOR KEY SHARE OF l
