-- A small bank: three customers, what they own and what they wait for.

CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL,
    city        TEXT NOT NULL,
    updated_on  TEXT NOT NULL
) STRICT;

CREATE TABLE cards (
    card_number TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers,
    status      TEXT NOT NULL,
    ordered_on  TEXT NOT NULL,
    expected_on TEXT,
    carrier     TEXT
) STRICT;
CREATE INDEX cards_of_customer ON cards (customer_id, ordered_on);

CREATE TABLE payments (
    payment_number TEXT PRIMARY KEY,
    customer_id    TEXT NOT NULL REFERENCES customers,
    merchant       TEXT NOT NULL,
    amount_cents   INTEGER NOT NULL,
    fee_cents      INTEGER NOT NULL DEFAULT 0,
    fee_reason     TEXT,
    currency       TEXT NOT NULL,
    status         TEXT NOT NULL,
    status_reason  TEXT,
    made_on        TEXT NOT NULL
) STRICT;
CREATE INDEX payments_of_customer ON payments (customer_id, made_on);

CREATE TABLE transfers (
    transfer_number TEXT PRIMARY KEY,
    customer_id     TEXT NOT NULL REFERENCES customers,
    recipient       TEXT NOT NULL,
    amount_cents    INTEGER NOT NULL,
    currency        TEXT NOT NULL,
    status          TEXT NOT NULL,
    sent_on         TEXT NOT NULL,
    expected_on     TEXT
) STRICT;
CREATE INDEX transfers_of_customer ON transfers (customer_id, sent_on);

CREATE TABLE top_ups (
    top_up_number TEXT PRIMARY KEY,
    customer_id   TEXT NOT NULL REFERENCES customers,
    method        TEXT NOT NULL,
    amount_cents  INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    status        TEXT NOT NULL,
    made_on       TEXT NOT NULL
) STRICT;
CREATE INDEX top_ups_of_customer ON top_ups (customer_id, made_on);

CREATE TABLE refunds (
    refund_number  TEXT PRIMARY KEY,
    payment_number TEXT NOT NULL REFERENCES payments,
    customer_id    TEXT NOT NULL REFERENCES customers,
    amount_cents   INTEGER NOT NULL,
    currency       TEXT NOT NULL,
    status         TEXT NOT NULL,
    requested_on   TEXT NOT NULL
) STRICT;
CREATE INDEX refunds_of_customer ON refunds (customer_id, requested_on);

CREATE TABLE articles (
    topic TEXT NOT NULL,
    title TEXT NOT NULL,
    body  TEXT NOT NULL
) STRICT;

INSERT INTO customers VALUES
    ('CUS-0001', 'Ada Lovelace', 'ada@example.org', 'London', '2025-03-02'),
    ('CUS-0002', 'Blaise Pascal', 'blaise@example.org', 'Rouen', '2025-06-19'),
    ('CUS-0003', 'Carl Gauss', 'carl@example.org', 'Brunswick', '2025-10-30');

INSERT INTO cards VALUES
    ('CRD-100001', 'CUS-0001', 'on its way', '2025-11-12', '2025-11-26', 'Royal Mail'),
    ('CRD-100002', 'CUS-0002', 'active', '2024-02-01', NULL, NULL),
    ('CRD-100003', 'CUS-0003', 'in production', '2025-11-19', '2025-12-01', 'DHL');

INSERT INTO payments VALUES
    ('PMT-500001', 'CUS-0001', 'Corner Bookshop', 2450, 0, NULL, 'GBP', 'pending', NULL, '2025-11-18'),
    ('PMT-500002', 'CUS-0001', 'Gare du Nord', 8900, 89, 'foreign currency', 'EUR', 'settled', NULL, '2025-11-02'),
    ('PMT-500003', 'CUS-0001', 'Garden Centre', 5599, 0, NULL, 'GBP', 'declined', 'the card is not active yet', '2025-11-14'),
    ('PMT-500004', 'CUS-0002', 'Boulangerie', 640, 0, NULL, 'EUR', 'settled', NULL, '2025-11-17'),
    ('PMT-500005', 'CUS-0003', 'Sternwarte', 12000, 0, NULL, 'EUR', 'declined', 'insufficient funds', '2025-11-15');

INSERT INTO transfers VALUES
    ('TRF-700001', 'CUS-0001', 'Charles Babbage', 15000, 'GBP', 'with the other bank', '2025-11-17', '2025-11-20'),
    ('TRF-700002', 'CUS-0001', 'Mary Somerville', 4000, 'GBP', 'received', '2025-10-01', NULL),
    ('TRF-700003', 'CUS-0002', 'Jacqueline Pascal', 9900, 'EUR', 'under review', '2025-11-19', '2025-11-24');

INSERT INTO top_ups VALUES
    ('TOP-900001', 'CUS-0001', 'bank transfer', 20000, 'GBP', 'pending', '2025-11-19'),
    ('TOP-900002', 'CUS-0003', 'card', 5000, 'EUR', 'completed', '2025-11-10');

INSERT INTO refunds VALUES
    ('RFD-300001', 'PMT-500002', 'CUS-0001', 8900, 'EUR', 'sent by the merchant', '2025-11-16');

INSERT INTO articles VALUES
    ('exchange_rate', 'Exchange rates', 'We exchange at the rate of the interbank market, and add half a per cent at weekends.'),
    ('country_support', 'Where we are', 'Accounts are for residents of the United Kingdom and the European Economic Area.'),
    ('age_limit', 'From which age', 'You can open an account at 18. Under-18s can have a card on the account of a parent.'),
    ('lost_or_stolen_card', 'A lost or stolen card', 'Freeze the card in the app at once, then order a new one there. Call us if payments are not yours.');
