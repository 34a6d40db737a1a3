-- Whoever changes a mirror holds this until its transaction ends, and reads what it copies from
-- the source only then: so of two that copy one row, the later one has the newer state of it.
SELECT pg_advisory_xact_lock(8099000947049456492)
