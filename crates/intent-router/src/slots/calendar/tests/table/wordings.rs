//! The tables: a wording a line, and where it is read, `=>` and its ranges.

/// Lists of periods, some of which share a year or a month.
pub(super) const LISTS: &str = "
    March, April and May 2025 => 2025-03-01..2025-05-31
    in march and april 2025 => 2025-03-01..2025-04-30
    in Q1 and Q2 2025 => 2025-01-01..2025-06-30
    Q1 & Q2 2025 => 2025-01-01..2025-06-30
    for 2023 and 2024 => 2023-01-01..2024-12-31
    in 2023, 2024 => 2023-01-01..2024-12-31
    in 2023, 2024 and 2025 => 2023-01-01..2025-12-31
    in 2023 or 2024 => 2023-01-01..2024-12-31
    in the years 2023 and 2024 => 2023-01-01..2024-12-31
    1, 2 and 3 March 2025 => 2025-03-01..2025-03-03
    March 1, 2 and 3, 2025 => 2025-03-01..2025-03-03
    November and December 2024 and January 2025 => 2024-11-01..2025-01-31
    May and June 2025 and July 2024 => 2024-07-01..2024-07-31,2025-05-01..2025-06-30
    March and April last year => 2024-03-01..2024-04-30
    May, June and July of last year => 2024-05-01..2024-07-31
    May last year and June this year => 2024-05-01..2024-05-31,2025-06-01..2025-06-30
    Jan., Feb. and Mar. 2025 => 2025-01-01..2025-03-31
    for the months of March and April 2025 => 2025-03-01..2025-04-30
    in March 2025 and May => 2025-03-01..2025-03-31,2025-05-01..2025-05-31
    in March and in May 2025 => 2025-03-01..2025-03-31,2025-05-01..2025-05-31
    in May, in June and in July 2025 => 2025-05-01..2025-07-31
    in March 2025, April 2025 or May 2025 => 2025-03-01..2025-05-31
    January 2025 and March 2025 => 2025-01-01..2025-01-31,2025-03-01..2025-03-31
    Jan 2025, Feb 2025, Mar 2025 => 2025-01-01..2025-03-31
    March & April 2025 => 2025-03-01..2025-04-30
    MARCH AND APRIL 2025 => 2025-03-01..2025-04-30
    March as well as April 2025 => 2025-03-01..2025-04-30
    first and second quarters of 2025 => 2025-01-01..2025-06-30
    Q1 2025 and Q3 2025 => 2025-01-01..2025-03-31,2025-07-01..2025-09-30
    this and last month => 2025-10-01..2025-11-30
    last month and this month => 2025-10-01..2025-11-30
    this year and last year => 2024-01-01..2025-12-31
    yesterday and today => 2025-11-14..2025-11-15
    2025-01-01/2025-03-31,2025-05-01/2025-05-31 => 2025-01-01..2025-03-31,2025-05-01..2025-05-31
";

/// Ranges with both ends.
pub(super) const RANGES: &str = "
    January to March 2025 => 2025-01-01..2025-03-31
    JANUARY TO MARCH 2025 => 2025-01-01..2025-03-31
    Jan - Mar 2025 => 2025-01-01..2025-03-31
    Jan-Mar 2025 => 2025-01-01..2025-03-31
    jan-mar 2025 => 2025-01-01..2025-03-31
    Jan–Mar 2025 => 2025-01-01..2025-03-31
    Jan—Mar 2025 => 2025-01-01..2025-03-31
    January through March 2025 => 2025-01-01..2025-03-31
    from January to March 2025 => 2025-01-01..2025-03-31
    from January until March 2025 => 2025-01-01..2025-03-31
    between January and March 2025 => 2025-01-01..2025-03-31
    between Jan 2025 and Mar 2025 => 2025-01-01..2025-03-31
    Jan. to Mar. 2025 => 2025-01-01..2025-03-31
    2024 to 2025 => 2024-01-01..2025-12-31
    from 2024 to 2025 => 2024-01-01..2025-12-31
    between 2024 and 2025 => 2024-01-01..2025-12-31
    for 2024-2025 => 2024-01-01..2025-12-31
    in 2023–2025 => 2023-01-01..2025-12-31
    1 to 15 March 2025 => 2025-03-01..2025-03-15
    1-15 March 2025 => 2025-03-01..2025-03-15
    March 1 to 15, 2025 => 2025-03-01..2025-03-15
    March 1-15, 2025 => 2025-03-01..2025-03-15
    between 1 and 15 March 2025 => 2025-03-01..2025-03-15
    the 1st to the 15th of March 2025 => 2025-03-01..2025-03-15
    March 1 to April 15, 2025 => 2025-03-01..2025-04-15
    from 1st January to 31st March 2025 => 2025-01-01..2025-03-31
    January 1st, 2025 to March 31st, 2025 => 2025-01-01..2025-03-31
    between 1 March and 3 April 2025 => 2025-03-01..2025-04-03
    November 2024 to February 2025 => 2024-11-01..2025-02-28
    Nov 2024 - Jan 2025 => 2024-11-01..2025-01-31
    from Nov 2024 until Feb 2025 => 2024-11-01..2025-02-28
    Q3 2024 to Q1 2025 => 2024-07-01..2025-03-31
    Q1-Q3 2025 => 2025-01-01..2025-09-30
    2025-01 to 2025-03 => 2025-01-01..2025-03-31
    03/2025 to 05/2025 => 2025-03-01..2025-05-31
    01/01/2025 - 31/03/2025 => 2025-01-01..2025-03-31
    from 1.1.2025 to 31.3.2025 => 2025-01-01..2025-03-31
    from 2010-01 to Jan '23 => 2010-01-01..2023-01-31
    March '24 to May '25 => 2024-03-01..2025-05-31
    June to August last year => 2024-06-01..2024-08-31
    from March 2025 to date => 2025-03-01..2025-11-15
    from March 2025 until now => 2025-03-01..2025-11-15
    between January 2025 and now => 2025-01-01..2025-11-15
    from yesterday until today => 2025-11-14..2025-11-15
    from last month to this month => 2025-10-01..2025-11-30
    March to the end of May 2025 => 2025-03-01..2025-05-31
    from the beginning of 2025 to the end of March 2025 => 2025-01-01..2025-03-31
    after January 2025 and before June 2025 => 2025-02-01..2025-05-31
    after January 2025 but before June 2025 => 2025-02-01..2025-05-31
    since January 2025 and before June 2025 => 2025-01-01..2025-05-31
    since January 2025 until March 2025 => 2025-01-01..2025-03-31
    from 2025-W12 to 2025-W14 => 2025-03-17..2025-04-06
    2025-01-01/2025-03-31 => 2025-01-01..2025-03-31
";

/// Ranges open at one end.
pub(super) const OPEN: &str = "
    since January 2025 => 2025-01-01..
    since Jan 2025 => 2025-01-01..
    SINCE JANUARY 2025 => 2025-01-01..
    since 2024 => 2024-01-01..
    since 1 March 2025 => 2025-03-01..
    since mar '24 => 2024-03-01..
    since Q2 2025 => 2025-04-01..
    since last month => 2025-10-01..
    since yesterday => 2025-11-14..
    since last year => 2024-01-01..
    since the beginning of the year => 2025-01-01..
    since the start of 2024 => 2024-01-01..
    since the start of last month => 2025-10-01..
    since March 2025 to date => 2025-03-01..
    since March 2025 until now => 2025-03-01..
    from January 2025 onwards => 2025-01-01..
    from January 2025 onward => 2025-01-01..
    from March 2025 on => 2025-03-01..
    as from March 2025 => 2025-03-01..
    January 2025 onwards => 2025-01-01..
    2024 onwards => 2024-01-01..
    March 2025 or later => 2025-03-01..
    starting March 2025 => 2025-03-01..
    starting from 1 March 2025 => 2025-03-01..
    on or after 1 March 2025 => 2025-03-01..
    no earlier than March 2025 => 2025-03-01..
    after March 2025 => 2025-04-01..
    after Q1 2025 => 2025-04-01..
    after 2023 => 2024-01-01..
    after last month => 2025-11-01..
    after the end of 2024 => 2025-01-01..
    after 28 February 2024 => 2024-02-29..
    after the start of March 2025 => 2025-03-01..
    before March 2025 => ..2025-02-28
    before 1 March 2025 => ..2025-02-28
    before March 2024 => ..2024-02-29
    before Q3 2025 => ..2025-06-30
    before this year => ..2024-12-31
    prior to 2025 => ..2024-12-31
    before the start of 2025 => ..2024-12-31
    before the end of March 2025 => ..2025-03-31
    earlier than March 2025 => ..2025-02-28
    until March 2025 => ..2025-03-31
    till march 2025 => ..2025-03-31
    until last month => ..2025-10-31
    until the end of 2025 => ..2025-12-31
    until the end of the year => ..2025-12-31
    until now => ..2025-11-15
    up to March 2025 => ..2025-03-31
    up until 2024 => ..2024-12-31
    up to and including March 2025 => ..2025-03-31
    no later than March 2025 => ..2025-03-31
    not later than 31 March 2025 => ..2025-03-31
    on or before 31 March 2025 => ..2025-03-31
    March 2025 or earlier => ..2025-03-31
";

/// Periods relative to the day of the request.
pub(super) const RELATIVE: &str = "
    last month => 2025-10-01..2025-10-31
    LAST MONTH => 2025-10-01..2025-10-31
    this month => 2025-11-01..2025-11-30
    next month => 2025-12-01..2025-12-31
    the previous month => 2025-10-01..2025-10-31
    the current month => 2025-11-01..2025-11-30
    last quarter => 2025-07-01..2025-09-30
    this quarter => 2025-10-01..2025-12-31
    next quarter => 2026-01-01..2026-03-31
    last year => 2024-01-01..2024-12-31
    this year => 2025-01-01..2025-12-31
    this week => 2025-11-10..2025-11-16
    last week => 2025-11-03..2025-11-09
    May last year => 2024-05-01..2024-05-31
    March of last year => 2024-03-01..2024-03-31
    in December last year => 2024-12-01..2024-12-31
    last May => 2025-05-01..2025-05-31
    last December => 2024-12-01..2024-12-31
    next June => 2026-06-01..2026-06-30
    May this year => 2025-05-01..2025-05-31
    this March => 2025-03-01..2025-03-31
    Q1 this year => 2025-01-01..2025-03-31
    first quarter this year => 2025-01-01..2025-03-31
    first quarter of last year => 2024-01-01..2024-03-31
    second half of last year => 2024-07-01..2024-12-31
    H2 of last year => 2024-07-01..2024-12-31
    the month before last => 2025-09-01..2025-09-30
    the month before last month => 2025-09-01..2025-09-30
    for the month before last => 2025-09-01..2025-09-30
    the year before last => 2023-01-01..2023-12-31
    the week before last => 2025-10-27..2025-11-02
    last three months => 2025-08-01..2025-11-15
    past 6 months => 2025-05-01..2025-11-15
    previous 3 months => 2025-08-01..2025-11-15
    last 12 months => 2024-11-01..2025-11-15
    in the last 30 days => 2025-10-17..2025-11-15
    over the last 3 months => 2025-08-01..2025-11-15
    in the last two weeks => 2025-10-27..2025-11-15
    within the last 3 months => 2025-08-01..2025-11-15
    last 2 years => 2023-01-01..2025-11-15
    the next 3 months => 2025-11-16..2026-02-28
    this year so far => 2025-01-01..2025-11-15
    so far this year => 2025-01-01..2025-11-15
    so far in this year => 2025-01-01..2025-11-15
    year to date => 2025-01-01..2025-11-15
    3 weeks ago => 2025-10-20..2025-10-26
    two months ago => 2025-09-01..2025-09-30
    10 days ago => 2025-11-05
    today => 2025-11-15
    yesterday => 2025-11-14
    the day before yesterday => 2025-11-13
    tomorrow => 2025-11-16
    last year's => 2024-01-01..2024-12-31
    tell me about last month => 2025-10-01..2025-10-31
";

/// Single periods and dates.
pub(super) const SINGLE: &str = "
    March 2025 => 2025-03-01..2025-03-31
    in MARCH 2025 => 2025-03-01..2025-03-31
    March, 2025 => 2025-03-01..2025-03-31
    March-2025 => 2025-03-01..2025-03-31
    Jan. 2025 => 2025-01-01..2025-01-31
    sept 2025 => 2025-09-01..2025-09-30
    Mar '25 => 2025-03-01..2025-03-31
    in February 2024 => 2024-02-01..2024-02-29
    in February 2025 => 2025-02-01..2025-02-28
    in February 2000 => 2000-02-01..2000-02-29
    2025-03 => 2025-03-01..2025-03-31
    03/2025 => 2025-03-01..2025-03-31
    in 2025 => 2025-01-01..2025-12-31
    for 2024 => 2024-01-01..2024-12-31
    during 2024 => 2024-01-01..2024-12-31
    throughout 2024 => 2024-01-01..2024-12-31
    all of 2025 => 2025-01-01..2025-12-31
    in the year 2024 => 2024-01-01..2024-12-31
    in the month of March 2025 => 2025-03-01..2025-03-31
    Q1 2025 => 2025-01-01..2025-03-31
    2025 Q1 => 2025-01-01..2025-03-31
    2025-Q1 => 2025-01-01..2025-03-31
    Q1 of 2025 => 2025-01-01..2025-03-31
    Q4 2024 => 2024-10-01..2024-12-31
    Q1 '25 => 2025-01-01..2025-03-31
    H1 2025 => 2025-01-01..2025-06-30
    2025 H2 => 2025-07-01..2025-12-31
    1st quarter 2025 => 2025-01-01..2025-03-31
    the second quarter of 2025 => 2025-04-01..2025-06-30
    first half of 2025 => 2025-01-01..2025-06-30
    first two quarters of 2025 => 2025-01-01..2025-06-30
    first three months of 2025 => 2025-01-01..2025-03-31
    last quarter of 2024 => 2024-10-01..2024-12-31
    2025-W12 => 2025-03-17..2025-03-23
    on 2025-03-14 => 2025-03-14
    on 14/03/2025 => 2025-03-14
    on 14.03.2025 => 2025-03-14
    on 14 March 2025 => 2025-03-14
    on March 14, 2025 => 2025-03-14
    on the 3rd of March 2025 => 2025-03-03
    on 29 February 2024 => 2024-02-29
";

/// Wordings without a single reading.
pub(super) const DOUBTED: &str = "
    March 2025..
    in March 2025 ...
    this last year
    this last month
    on/after 25 March 2025
    on/before March 2025
    and/or in March 2025
    March 2025 and the previous month
    last month and the previous month
    March 2025 and the following quarter
    last month and this
    last year and this
    last month or so
    March 2025 and so on
    March 2025, April, and so on
    March 2025 and on
    in and after March 2025
    on and after 25 March 2025
    March 2025 and previous
    March 2025 and upcoming
    past 25 March 2025
    going past March 2025
    before the last 3 months and so on
    in March
    for March
    January
    since January
    from March
    before May
    from March 2025
    Nov to Feb 2025
    December and January 2025
    April and March 2025
    March 2024 and 2025
    May to March 2025
    March and Apirl 2025
    Apirl 2025
    in 2024/25
    for 2024/2025
    FY2025
    in FY 2025
    in the financial year 2025
    early 2025
    in late March 2025
    mid-March 2025
    mid 2025
    around March 2025
    about March 2025
    at the beginning of 2025
    at the end of 2025
    the rest of 2025
    in the first week of March 2025
    the last day of March 2025
    a year ago
    a month ago
    one year ago
    past month
    the last month
    the last quarter
    last couple of months
    last few months
    last two quarters
    last 2 or 3 months
    two or three months ago
    more than 3 months ago
    as of March 2025
    as at 31 March 2025
    through March 2025
    by the end of March 2025
    not before March 2025
    not after March 2025
    since the end of 2024
    since March and April 2025
    before March 2025 or after June 2025
    before June 2025 and after March 2025
    the month after March 2025
    two months before March 2025
    for the year ended 31 March 2025
    three months from January 2025
    March 2025 and the month after
    March 2025 and before
    March then April 2025
    March/April 2025
    in March 2025 and now
    in March 2025, may I see them
    31 April 2025
    29 February 2025
    2025-02-30
    in 2025-13
    in 1899
    in 2100
    last Friday
    on Monday
    over Christmas 2024
    since then
    first until Q2 2025
    up to date
    last April, 2015
";

/// Periods that are excluded or restricted.
pub(super) const EXCLUDED: &str = "
    except March 2025
    all except March 2025
    excluding March 2025
    other than March 2025
    apart from March 2025
    without March 2025
    but not March 2025
    March but not April 2025
    in 2025 except March
    in 2024 but not Q4
    since January 2025, not including March
    only March 2025
    not in 2025
    outside March 2025
    up to but not including March 2025
";

/// Amounts of money that look like years.
pub(super) const AMOUNTS: &str = "
    for 1950 kwacha
    for 2010 kwacha
    in 2010 dollars
    K1950
    K2010
    of K 2010
    the 2010 ZMW one
    for 1999.50
    amount of 2024
    for the amount of 2010
    sum of 2010
    in 2,024 kwacha
    for $2024
    for 2010-ZMW
    from 2010 to 2015 kwacha
    between 2010 and 2015 kwacha
    between K2010 and K2015
    since 2010 dollars
    a total of 2010
    in 2010 kwacha
    between 2010 and 2015 dollars
    amount 2010
";
