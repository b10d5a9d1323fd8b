-- The demo database of a workers' compensation scheme.
--
-- Every record that belongs to somebody carries the owner in `member_id`; a
-- claim carries the injured person in `member_id` and the employer in
-- `employer_id`. Money is whole cents, dates are ISO 8601 text, so that data
-- generated from one seed is the same bytes on every platform.

-- Everybody who can ask: beneficiaries (injured people, or whoever draws
-- their benefits) and employers.
CREATE TABLE members (
    member_id           TEXT PRIMARY KEY,
    kind                TEXT NOT NULL CHECK (kind IN ('beneficiary', 'employer')),
    display_name        TEXT NOT NULL,
    email               TEXT NOT NULL,
    phone_masked        TEXT NOT NULL,
    address_line        TEXT NOT NULL,
    city                TEXT NOT NULL,
    postal_code         TEXT NOT NULL,
    contact_preference  TEXT NOT NULL CHECK (contact_preference IN ('email', 'post', 'phone')),
    bank_name           TEXT,
    bank_account_masked TEXT,
    registered_on       TEXT NOT NULL,
    updated_on          TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE employers (
    employer_id               TEXT PRIMARY KEY REFERENCES members (member_id),
    policy_number             TEXT NOT NULL UNIQUE,
    policy_status             TEXT NOT NULL CHECK (policy_status IN ('active', 'in_arrears')),
    industry                  TEXT NOT NULL,
    employees                 INTEGER NOT NULL CHECK (employees > 0),
    premium_rate_basis_points INTEGER NOT NULL,
    balance_due_cents         INTEGER NOT NULL,
    currency                  TEXT NOT NULL,
    next_due_on               TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE beneficiaries (
    member_id   TEXT PRIMARY KEY REFERENCES members (member_id),
    employer_id TEXT NOT NULL REFERENCES employers (employer_id),
    occupation  TEXT NOT NULL,
    birth_year  INTEGER NOT NULL,
    dependants  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX beneficiaries_by_employer ON beneficiaries (employer_id);

CREATE TABLE adjusters (
    adjuster_id TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL,
    phone       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claim_types (
    claim_type  TEXT PRIMARY KEY,
    title       TEXT NOT NULL,
    description TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a claim of a type needs, and who must hand it in.
CREATE TABLE required_documents (
    claim_type    TEXT NOT NULL REFERENCES claim_types (claim_type),
    provided_by   TEXT NOT NULL CHECK (provided_by IN ('beneficiary', 'employer')),
    document_type TEXT NOT NULL,
    title         TEXT NOT NULL,
    mandatory     INTEGER NOT NULL CHECK (mandatory IN (0, 1)),
    due_in_days   INTEGER NOT NULL,
    PRIMARY KEY (claim_type, provided_by, document_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE submission_steps (
    done_by     TEXT NOT NULL CHECK (done_by IN ('beneficiary', 'employer')),
    step        INTEGER NOT NULL,
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (done_by, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE claims (
    claim_number TEXT PRIMARY KEY,
    member_id    TEXT NOT NULL REFERENCES beneficiaries (member_id),
    employer_id  TEXT NOT NULL REFERENCES employers (employer_id),
    claim_type   TEXT NOT NULL REFERENCES claim_types (claim_type),
    status       TEXT NOT NULL CHECK (status IN ('submitted', 'in_review', 'information_requested',
                                                 'approved', 'denied', 'appealed', 'closed')),
    injury       TEXT NOT NULL,
    body_part    TEXT NOT NULL,
    injured_on   TEXT NOT NULL,
    filed_on     TEXT NOT NULL,
    decided_on   TEXT,
    closed_on    TEXT,
    adjuster_id  TEXT NOT NULL REFERENCES adjusters (adjuster_id),
    next_step    TEXT NOT NULL,
    next_step_on TEXT,
    updated_on   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_member ON claims (member_id, filed_on);
CREATE INDEX claims_by_employer ON claims (employer_id, filed_on);
CREATE INDEX claims_by_adjuster ON claims (adjuster_id);

CREATE TABLE claim_events (
    claim_number TEXT NOT NULL REFERENCES claims (claim_number),
    sequence     INTEGER NOT NULL,
    happened_on  TEXT NOT NULL,
    event        TEXT NOT NULL,
    note         TEXT NOT NULL,
    PRIMARY KEY (claim_number, sequence)
) STRICT, WITHOUT ROWID;

-- Claims that somebody began to fill in and has not handed in yet.
CREATE TABLE claim_drafts (
    draft_number TEXT PRIMARY KEY,
    member_id    TEXT NOT NULL REFERENCES members (member_id),
    claim_type   TEXT NOT NULL REFERENCES claim_types (claim_type),
    started_on   TEXT NOT NULL,
    expires_on   TEXT NOT NULL,
    next_step    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_drafts_by_member ON claim_drafts (member_id, started_on);

CREATE TABLE pensions (
    pension_number          TEXT PRIMARY KEY,
    member_id               TEXT NOT NULL REFERENCES members (member_id),
    claim_number            TEXT NOT NULL REFERENCES claims (claim_number),
    kind                    TEXT NOT NULL CHECK (kind IN ('permanent_disability', 'survivor')),
    status                  TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    impairment_percent      INTEGER NOT NULL CHECK (impairment_percent BETWEEN 1 AND 100),
    monthly_cents           INTEGER NOT NULL CHECK (monthly_cents > 0),
    currency                TEXT NOT NULL,
    started_on              TEXT NOT NULL,
    next_payment_on         TEXT,
    life_certificate_due_on TEXT NOT NULL,
    review_on               TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pensions_by_member ON pensions (member_id);
CREATE INDEX pensions_by_claim ON pensions (claim_number);

CREATE TABLE payments (
    payment_number TEXT PRIMARY KEY,
    member_id      TEXT NOT NULL REFERENCES members (member_id),
    claim_number   TEXT NOT NULL REFERENCES claims (claim_number),
    pension_number TEXT REFERENCES pensions (pension_number),
    kind           TEXT NOT NULL CHECK (kind IN ('wage_replacement', 'medical_reimbursement', 'pension',
                                                 'employer_wage_refund')),
    period         TEXT NOT NULL,
    amount_cents   INTEGER NOT NULL CHECK (amount_cents > 0),
    currency       TEXT NOT NULL,
    method         TEXT NOT NULL CHECK (method IN ('bank_transfer', 'cheque')),
    status         TEXT NOT NULL CHECK (status IN ('scheduled', 'processing', 'on_hold', 'returned', 'paid')),
    status_reason  TEXT,
    scheduled_on   TEXT NOT NULL,
    paid_on        TEXT,
    CHECK ((status = 'paid') = (paid_on IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_by_member ON payments (member_id, scheduled_on);
CREATE INDEX payments_by_claim ON payments (claim_number);
CREATE INDEX payments_by_pension ON payments (pension_number);

-- `member_id` is who must hand the document in and may see it.
CREATE TABLE documents (
    document_number TEXT PRIMARY KEY,
    member_id       TEXT NOT NULL REFERENCES members (member_id),
    claim_number    TEXT NOT NULL REFERENCES claims (claim_number),
    document_type   TEXT NOT NULL,
    title           TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('requested', 'received', 'in_review', 'accepted', 'rejected')),
    status_reason   TEXT,
    requested_on    TEXT NOT NULL,
    due_on          TEXT NOT NULL,
    received_on     TEXT,
    reviewed_on     TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX documents_by_member ON documents (member_id, requested_on);
CREATE INDEX documents_by_claim ON documents (claim_number);

CREATE TABLE tickets (
    ticket_number TEXT PRIMARY KEY,
    member_id     TEXT NOT NULL REFERENCES members (member_id),
    category      TEXT NOT NULL,
    subject       TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('open', 'waiting_for_member', 'resolved')),
    priority      TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
    opened_on     TEXT NOT NULL,
    updated_on    TEXT NOT NULL,
    last_reply    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_by_member ON tickets (member_id, opened_on);

CREATE TABLE service_status (
    service        TEXT PRIMARY KEY,
    title          TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('operational', 'degraded', 'maintenance', 'outage')),
    message        TEXT NOT NULL,
    since          TEXT NOT NULL,
    expected_until TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE articles (
    article_id INTEGER PRIMARY KEY,
    slug       TEXT NOT NULL UNIQUE,
    topic      TEXT NOT NULL,
    title      TEXT NOT NULL,
    body       TEXT NOT NULL,
    updated_on TEXT NOT NULL
) STRICT;
CREATE INDEX articles_by_topic ON articles (topic);

CREATE VIRTUAL TABLE articles_fts USING fts5 (
    title, body, content = 'articles', content_rowid = 'article_id', tokenize = 'porter unicode61'
);

-- How the data was made.
CREATE TABLE demo_origin (
    seed           INTEGER NOT NULL,
    members        INTEGER NOT NULL,
    reference_date TEXT NOT NULL
) STRICT;
