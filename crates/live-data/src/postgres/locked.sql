-- The tables and views that the transaction has locked, apart from the system's, each
-- with whether it is a view and whether the lock is for more than reading. $1 are the
-- declared tables: those that are parts of a locked table count as locked, too.
WITH RECURSIVE locked AS (
    SELECT l.relation AS oid, l.mode <> 'AccessShareLock' AS writes
    FROM pg_locks l
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
), parts AS (
    SELECT oid FROM locked
    UNION
    SELECT i.inhrelid FROM parts p JOIN pg_inherits i ON i.inhparent = p.oid
)
SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind = 'v',
       coalesce(bool_or(l.writes), false)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN locked l ON l.oid = c.oid
WHERE (l.oid IS NOT NULL OR c.oid IN (SELECT oid FROM parts) AND c.oid = ANY ($1::oid[]))
  AND c.relkind IN ('r', 'p', 'f', 'm', 'S', 'v')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
GROUP BY c.oid, n.nspname, c.relname, c.relkind
