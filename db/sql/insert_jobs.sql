-- Jobs that are due; the commit that makes them announces them (notify_jobs).
INSERT INTO jobs (id, organization_id, ledger_id, kind, payload, attempts_max, due_at, status,
    attempts)
SELECT u.*, 0, 0 FROM unnest($1, $2, $3, $4, $5, $6, $7) u
