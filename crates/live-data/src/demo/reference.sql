-- What is the same for every member: kinds of claims, what each needs, the
-- steps of handing one in, the staff, and the state of the services.

INSERT INTO claim_types (claim_type, title, description) VALUES
    ('injury', 'Workplace injury',
     'An accident at work or on duty: a fall, a cut, a burn, a strain, a vehicle accident.'),
    ('occupational_disease', 'Occupational disease',
     'An illness caused by the work over time, such as hearing loss, dermatitis or a lung disease.'),
    ('repetitive_strain', 'Repetitive strain',
     'Pain or damage from the same movement over weeks or months, such as carpal tunnel syndrome.');

INSERT INTO required_documents
    (claim_type, provided_by, document_type, title, mandatory, due_in_days) VALUES
    ('injury', 'beneficiary', 'medical_report', 'Medical report of the first treatment', 1, 14),
    ('injury', 'beneficiary', 'identity', 'Copy of an identity card or passport', 1, 14),
    ('injury', 'beneficiary', 'bank_details', 'Bank confirmation of the account for payments', 1, 30),
    ('injury', 'beneficiary', 'witness_statement', 'Statement of a witness', 0, 30),
    ('injury', 'employer', 'employer_report', 'Employer''s report of the accident', 1, 7),
    ('injury', 'employer', 'wage_statement', 'Wages of the last twelve months', 1, 14),
    ('occupational_disease', 'beneficiary', 'specialist_report', 'Report of a specialist physician', 1, 30),
    ('occupational_disease', 'beneficiary', 'identity', 'Copy of an identity card or passport', 1, 14),
    ('occupational_disease', 'beneficiary', 'bank_details', 'Bank confirmation of the account for payments', 1, 30),
    ('occupational_disease', 'beneficiary', 'work_history', 'Work history with the substances or noise met', 1, 30),
    ('occupational_disease', 'employer', 'employer_report', 'Employer''s report of the exposure', 1, 14),
    ('occupational_disease', 'employer', 'wage_statement', 'Wages of the last twelve months', 1, 14),
    ('repetitive_strain', 'beneficiary', 'medical_report', 'Medical report with the diagnosis', 1, 21),
    ('repetitive_strain', 'beneficiary', 'identity', 'Copy of an identity card or passport', 1, 14),
    ('repetitive_strain', 'beneficiary', 'bank_details', 'Bank confirmation of the account for payments', 1, 30),
    ('repetitive_strain', 'employer', 'employer_report', 'Employer''s report of the tasks and hours', 1, 14),
    ('repetitive_strain', 'employer', 'wage_statement', 'Wages of the last twelve months', 1, 14);

INSERT INTO submission_steps (done_by, step, title, description) VALUES
    ('beneficiary', 1, 'Tell your employer',
     'Report the injury to your employer within 48 hours and see a doctor, who writes the first report.'),
    ('beneficiary', 2, 'Describe what happened',
     'Start a claim in the portal: date, place, what you were doing, which part of the body is hurt.'),
    ('beneficiary', 3, 'Add your documents',
     'Upload the medical report, a copy of your identity card and your bank details. Photos are accepted.'),
    ('beneficiary', 4, 'Check and hand in',
     'Read the summary, sign it and hand it in. You get the claim number at once.'),
    ('beneficiary', 5, 'Wait for the first decision',
     'An adjuster answers within 21 days, or asks for what is missing.'),
    ('employer', 1, 'Secure the place and give first aid',
     'See that the injured person gets treatment and that nobody else can be hurt.'),
    ('employer', 2, 'Report the accident',
     'Send the employer''s report within 7 days of learning of the accident. Late reports delay the benefits.'),
    ('employer', 3, 'Send the wage statement',
     'The wages of the last twelve months decide the amount of the wage replacement.'),
    ('employer', 4, 'Offer lighter work',
     'Tell the adjuster which lighter tasks are available during recovery.');

INSERT INTO adjusters (adjuster_id, name, email, phone) VALUES
    ('ADJ-01', 'Miriam Okafor', 'm.okafor@claims.example', '+1 555 0101'),
    ('ADJ-02', 'Jonas Lindqvist', 'j.lindqvist@claims.example', '+1 555 0102'),
    ('ADJ-03', 'Priya Raman', 'p.raman@claims.example', '+1 555 0103'),
    ('ADJ-04', 'Tomás Herrera', 't.herrera@claims.example', '+1 555 0104'),
    ('ADJ-05', 'Ewa Nowak', 'e.nowak@claims.example', '+1 555 0105'),
    ('ADJ-06', 'Daniel Mwale', 'd.mwale@claims.example', '+1 555 0106');

INSERT INTO service_status (service, title, status, message, since, expected_until) VALUES
    ('portal', 'Member portal', 'operational',
     'All pages answer normally.', '2025-11-03T06:00:00Z', NULL),
    ('sign_in', 'Sign-in and passwords', 'operational',
     'Codes by text message arrive within a minute.', '2025-11-17T09:30:00Z', NULL),
    ('uploads', 'Document upload', 'degraded',
     'Files above 10 MB may take several minutes. Smaller files are not affected.',
     '2025-11-19T13:20:00Z', '2025-11-21T18:00:00Z'),
    ('payments', 'Payment runs', 'operational',
     'The last run finished on time.', '2025-11-14T04:00:00Z', NULL),
    ('mobile_app', 'Mobile app', 'maintenance',
     'Version 4.2 is being rolled out; the app may ask you to sign in again.',
     '2025-11-20T05:00:00Z', '2025-11-20T23:00:00Z'),
    ('phone_line', 'Telephone line', 'operational',
     'The waiting time is about four minutes.', '2025-11-20T08:00:00Z', NULL);
