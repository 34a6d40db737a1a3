-- Wakes the workers of all servers when the transaction commits, and not before.
SELECT pg_notify('penstock_jobs', '')
