-- The oldest transaction that may still write, and the first one that has not begun.
SELECT pg_snapshot_xmin(s.now), pg_snapshot_xmax(s.now) FROM pg_current_snapshot() s (now)
