-- What the demo database has in PostgreSQL in place of SQLite's full-text table and
-- functions. The rows of `articles_fts` follow those of `articles`.

CREATE TABLE articles_fts (
    article_id bigint PRIMARY KEY REFERENCES articles (article_id),
    words      tsvector NOT NULL
);
CREATE INDEX articles_fts_words ON articles_fts USING gin (words);

-- The position of a text in another, counted from 1; 0 if it is not there.
CREATE FUNCTION instr(whole text, part text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS 'SELECT strpos($1, $2)';

-- Whether a day (YYYY-MM-DD, with or without a time of day after it), month (YYYY-MM) or
-- year (YYYY) has a day in any of the ranges (YYYY-MM-DD/YYYY-MM-DD, joined with `,`).
CREATE FUNCTION in_ranges(day text, ranges text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN d.day !~ '^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$' THEN false
        WHEN ',' || $2 !~ ('^(,[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
                           '/[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))+$') THEN false
        ELSE (
            SELECT bool_and(left(r.range, 10) <= substr(r.range, 12))
                   AND bool_or(left(r.range, length(d.day)) <= d.day
                               AND d.day <= left(substr(r.range, 12), length(d.day)))
            FROM unnest(string_to_array($2, ',')) AS r (range)
        )
    END
    FROM (SELECT CASE WHEN substr($1, 11, 1) IN (' ', 'T') THEN left($1, 10) ELSE $1 END
                 COLLATE "C") AS d (day)
$$;
