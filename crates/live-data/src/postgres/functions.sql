-- Whether a query with the words $1 that reads the relations $2 may call a function that
-- reads tables by itself: one of the database's own that is not declared immutable, in
-- the query, in a view or in a policy; or one of the system's that runs a query or reads
-- what no table holds.
SELECT EXISTS (
    SELECT FROM pg_proc p
    WHERE p.proname = ANY ($1::text[])
      AND CASE p.pronamespace
          WHEN 'pg_catalog'::regnamespace
          THEN p.proname ~ '(_to_xml|_to_xmlschema|_to_xml_and_xmlschema)$'
               OR p.proname IN ('ts_stat', 'lo_get', 'loread', 'currval', 'lastval', 'nextval',
                                'pg_sequence_last_value')
               OR p.proname ~ '^pg_(read|ls)_'
          ELSE p.provolatile <> 'i'
          END
) OR EXISTS (
    SELECT FROM pg_depend d
    JOIN pg_proc p ON p.oid = d.refobjid
    WHERE d.refclassid = 'pg_proc'::regclass AND p.provolatile <> 'i'
      AND (d.classid = 'pg_rewrite'::regclass
           AND d.objid IN (SELECT r.oid FROM pg_rewrite r WHERE r.ev_class = ANY ($2::oid[]))
        OR d.classid = 'pg_policy'::regclass
           AND d.objid IN (SELECT y.oid FROM pg_policy y WHERE y.polrelid = ANY ($2::oid[])))
)
