-- Exports that were asked for. The commit also has their jobs and their first audit records.
INSERT INTO exports (id, organization_id, source, format, status, rows, bytes, ledger_id,
    ledger_name, account, from_at, to_at)
SELECT u.id, u.organization_id, u.source, u.format, 0, 0, 0, u.ledger_id, u.ledger_name,
    u.account, u.from_at, u.to_at
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
    u (id, organization_id, source, format, ledger_id, ledger_name, account, from_at, to_at)
