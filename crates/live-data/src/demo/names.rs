//! The words that demo records are made of.

pub(super) const FIRST_NAMES: &[&str] = &[
    "Amara", "Ben", "Chen", "Dalia", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jakub", "Kemi",
    "Liam", "Maya", "Noor", "Olga", "Pedro", "Quynh", "Rosa", "Samir", "Tendai", "Ursula",
    "Victor", "Wen", "Ximena", "Yusuf", "Zofia", "Anders", "Beatriz", "Chipo", "Dmitri", "Esther",
    "Femi", "Giulia", "Hana", "Ivan", "Joy", "Karim", "Lucía", "Malik", "Nadia", "Oscar", "Petra",
    "Ravi", "Sofia", "Thabo", "Uma", "Vera", "Zainab",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Adeyemi",
    "Banda",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
    "Larsen",
    "Mbeki",
    "Novak",
    "O'Connor",
    "Petrov",
    "Quispe",
    "Rossi",
    "Silva",
    "Tanaka",
    "Uddin",
    "Vargas",
    "Walker",
    "Xu",
    "Yilmaz",
    "Zulu",
    "Andersson",
    "Becker",
    "Chanda",
    "Diallo",
    "Evans",
    "Ferreira",
    "Greene",
    "Hoang",
    "Ivanova",
    "Jackson",
    "Khan",
    "Lungu",
    "Müller",
    "Ndlovu",
    "Okoro",
    "Phiri",
    "Reyes",
    "Schmidt",
    "Torres",
    "Van der Berg",
    "Weber",
    "Zimmermann",
];

pub(super) const CITIES: &[(&str, &str)] = &[
    ("Lakeside", "104"),
    ("Port Azure", "118"),
    ("Millbrook", "127"),
    ("Northgate", "139"),
    ("Copperfield", "145"),
    ("Riverton", "152"),
    ("Ashford Hills", "166"),
    ("Saltmarsh", "173"),
];

pub(super) const STREETS: &[&str] = &[
    "Acacia Avenue",
    "Bridge Street",
    "Cedar Lane",
    "Foundry Road",
    "Harbour Street",
    "Independence Avenue",
    "Mill Road",
    "Station Road",
    "Sunrise Close",
    "Union Street",
];

pub(super) const BANKS: &[&str] = &[
    "First Harbour Bank",
    "Copperfield Savings",
    "Union Credit",
    "Lakeside Mutual",
];

/// An employer's trade: industry, company names, and the occupations of
/// employees.
#[derive(Clone, Copy)]
pub(super) struct Trade {
    pub(super) industry: &'static str,
    pub(super) company: &'static str,
    pub(super) occupations: &'static [&'static str],
}

pub(super) const TRADES: &[Trade] = &[
    Trade {
        industry: "construction",
        company: "Construction",
        occupations: &["bricklayer", "electrician", "crane operator", "roofer"],
    },
    Trade {
        industry: "mining",
        company: "Mining",
        occupations: &["driller", "blaster", "haul truck driver", "plant fitter"],
    },
    Trade {
        industry: "manufacturing",
        company: "Works",
        occupations: &["machinist", "welder", "assembler", "packer"],
    },
    Trade {
        industry: "health care",
        company: "Clinics",
        occupations: &["nurse", "porter", "laboratory technician", "carer"],
    },
    Trade {
        industry: "transport",
        company: "Logistics",
        occupations: &[
            "lorry driver",
            "warehouse worker",
            "forklift driver",
            "dispatcher",
        ],
    },
    Trade {
        industry: "agriculture",
        company: "Farms",
        occupations: &[
            "farm worker",
            "tractor driver",
            "herder",
            "irrigation fitter",
        ],
    },
    Trade {
        industry: "hospitality",
        company: "Hotels",
        occupations: &["cook", "housekeeper", "waiter", "kitchen assistant"],
    },
];

/// An injury: the type of the claim, what happened, and which part is hurt.
#[derive(Clone, Copy)]
pub(super) struct Injury {
    pub(super) claim_type: &'static str,
    pub(super) injury: &'static str,
    pub(super) body_part: &'static str,
}

const fn injury(claim_type: &'static str, injury: &'static str, body_part: &'static str) -> Injury {
    Injury {
        claim_type,
        injury,
        body_part,
    }
}

pub(super) const INJURIES: &[Injury] = &[
    injury(
        "injury",
        "Fracture after a fall from a ladder",
        "left wrist",
    ),
    injury("injury", "Cut by a machine blade", "right hand"),
    injury("injury", "Back strain while lifting a load", "lower back"),
    injury("injury", "Burn from hot oil", "forearm"),
    injury("injury", "Crushed by a closing gate", "left foot"),
    injury("injury", "Whiplash in a vehicle accident on duty", "neck"),
    injury(
        "injury",
        "Torn ligament after a slip on a wet floor",
        "right knee",
    ),
    injury("injury", "Metal splinter", "right eye"),
    injury(
        "occupational_disease",
        "Hearing loss from machine noise",
        "both ears",
    ),
    injury(
        "occupational_disease",
        "Dermatitis from solvents",
        "both hands",
    ),
    injury(
        "occupational_disease",
        "Lung disease from stone dust",
        "lungs",
    ),
    injury("repetitive_strain", "Carpal tunnel syndrome", "right wrist"),
    injury(
        "repetitive_strain",
        "Tendinitis from overhead work",
        "right shoulder",
    ),
];

/// A question to the help desk: category, subject and last answer.
pub(super) const TICKETS: &[(&str, &str, &str)] = &[
    (
        "sign_in",
        "The code by text message does not arrive",
        "We sent a new code to the number on file. Please tell us whether it arrived.",
    ),
    (
        "upload",
        "My medical report does not upload",
        "The file is larger than 20 MB. Please send it in two parts.",
    ),
    (
        "portal",
        "The payments page stays empty",
        "Please clear the browser's cache for the portal and sign in again.",
    ),
    (
        "mobile_app",
        "The app closes when I open a document",
        "The error is known and is mended in version 4.2.",
    ),
    (
        "account",
        "I want to change my bank account",
        "Please upload a bank confirmation of the new account.",
    ),
    (
        "portal",
        "I cannot print my decision letter",
        "Your letter is now attached to this ticket as a PDF.",
    ),
];
