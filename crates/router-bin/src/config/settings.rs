//! The settings, their defaults and their checks one by one.
//!
//! These structs are the single definition of the configuration. The parser, the
//! JSON Schema, the names of the environment variables and `router config show`
//! follow from them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use intent_router::{Catalogue, Diagnostic};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::aside::AsideSettings;
use super::auth::AuthSettings;
use super::changes::ChangesSettings;
use super::classes::Classes;
use super::diagnostics::Origin;
use super::fields::{file_path, listen_address};
use super::guard::{Breaker, Limit};
use super::hosts::HostList;
use super::http::HttpSettings;
use super::listeners::{AdminListener, TlsFiles};
use super::mcp::McpSettings;
use super::postgres::{PostgresSettings, PostgresUrl};
use super::privacy::{AuditLog, Privacy};
use super::snapshot::SnapshotSettings;
use super::units::{BodiesLimit, BodyLimit, Capacity, Count, MessageLimit, Period, Timeout};
use super::zone::Zone;

/// Configuration of the router.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Configuration of router")]
pub(crate) struct Config {
    /// The HTTP service.
    pub(crate) server: Server,
    /// Who may call the service, and as whom they ask.
    pub(crate) auth: AuthSettings,
    /// The response cache.
    pub(crate) cache: Cache,
    /// Where the records come from.
    pub(crate) source: Source,
    /// Invalidation by the changes that the database reports.
    pub(crate) changes: ChangesSettings,
    /// The intents as tools of agents.
    pub(crate) mcp: McpSettings,
    /// The intents.
    pub(crate) catalogue: CatalogueFile,
    /// How the intent of a message is found.
    pub(crate) detector: Detector,
    /// The calendar.
    pub(crate) time: Time,
    /// What logs and statistics show of people.
    pub(crate) privacy: Privacy,
    /// The record of administrative acts.
    pub(crate) audit: AuditLog,
    /// The configuration file, if there is one.
    #[serde(skip)]
    pub(super) path: Option<PathBuf>,
    /// The origin of each setting by its dotted path; defaults have none.
    #[serde(skip)]
    pub(super) origins: BTreeMap<String, Origin>,
    /// Warnings about variables that name no setting.
    #[serde(skip)]
    pub(super) unread: Vec<Diagnostic>,
    /// The catalogue of the file; `None` for the built-in one.
    #[serde(skip)]
    pub(super) intents: Option<Catalogue>,
}

/// The HTTP service.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    /// The address and port to listen on; port 0 lets the system choose.
    #[serde(deserialize_with = "listen_address")]
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// The host names by which clients may call the service, in addition to loopback
    /// names and the listen address.
    pub(crate) hosts: HostList,
    /// The largest request body; a larger one is answered with 413.
    pub(crate) max_body: BodyLimit,
    /// How many bytes all request bodies may hold at once; a request beyond it is
    /// answered with 503. At least `max_body`.
    pub(crate) max_bodies: BodiesLimit,
    /// The longest message; a longer one is answered with 422. It bounds the time
    /// that finding an intent can take. A message that is not ASCII is read up to
    /// 64 KiB.
    pub(crate) max_message: MessageLimit,
    /// How many connections are open at once; further ones are answered with 503.
    pub(crate) max_connections: Count<1, 1_000_000>,
    /// How many streams of statistics are open at once; further ones are answered
    /// with 503.
    pub(crate) max_streams: Count<0, 1_000_000>,
    /// How long a client may take to send the headers of a request.
    pub(crate) header_timeout: Timeout,
    /// How long a client may take to send the body of a request.
    pub(crate) body_timeout: Timeout,
    /// How long a connection may stay open without a request.
    pub(crate) idle_timeout: Timeout,
    /// How long answering a request may take; a longer one is answered with 503.
    pub(crate) request_timeout: Timeout,
    /// How long the service accepts connections after it is told to stop, while it
    /// reports that it is not ready.
    pub(crate) lame_duck: Period,
    /// How long requests in flight may take to finish when the service stops.
    pub(crate) shutdown_deadline: Timeout,
    /// How often the reloadable files are polled for changes; 0s: never.
    pub(crate) watch_files: Period,
    /// TLS.
    pub(crate) tls: TlsFiles,
    /// The listener for administration.
    pub(crate) admin: AdminListener,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            hosts: HostList::default(),
            max_body: BodyLimit::kibibytes::<1024>(),
            max_bodies: BodiesLimit::kibibytes::<{ 64 * 1024 }>(),
            max_message: MessageLimit::kibibytes::<16>(),
            max_connections: Count::of::<1024>(),
            max_streams: Count::of::<32>(),
            header_timeout: Timeout::seconds::<10>(),
            body_timeout: Timeout::seconds::<30>(),
            idle_timeout: Timeout::seconds::<60>(),
            request_timeout: Timeout::seconds::<30>(),
            lame_duck: Period::default(),
            shutdown_deadline: Timeout::seconds::<10>(),
            watch_files: Period::seconds::<2>(),
            tls: TlsFiles::default(),
            admin: AdminListener::default(),
        }
    }
}

/// The response cache. It is bounded by its weight or by its number of entries.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cache {
    /// Whether answers are cached; can be changed while the service runs.
    pub(crate) enabled: bool,
    /// The memory of the stored answers, memberships and detections together, at most;
    /// excludes `entries`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capacity: Option<Capacity>,
    /// The number of stored answers, at most; excludes `capacity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entries: Option<Count<1, 1_000_000_000>>,
    /// The TTL classes: the four standard ones, and any that the catalogue names.
    pub(crate) classes: Classes,
    /// The stored answers over a restart.
    pub(crate) snapshot: SnapshotSettings,
    /// Look-ups whose callers compute what is missing.
    pub(crate) aside: AsideSettings,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            enabled: true,
            capacity: Some(Capacity::kibibytes::<{ 64 * 1024 }>()),
            entries: None,
            classes: Classes::default(),
            snapshot: SnapshotSettings::default(),
            aside: AsideSettings::default(),
        }
    }
}

/// Where the records come from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Source {
    /// The database, as `postgres://USER@HOST/DATABASE` or `sqlite://PATH`, or an HTTP
    /// back end without a database, as `https://HOST/PATH`; absent: embedded demo data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<SourceUrl>,
    /// How many database connections are open, and so how many queries run at once.
    pub(crate) connections: Count<1, 256>,
    /// How long a request may take the database, with all its queries and the waiting
    /// for their turns together.
    pub(crate) deadline: Timeout,
    /// How many connections the queries of one intent may use at a time; at most all
    /// but one. Absent: half of them, rounded up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) share: Option<Count<1, 256>>,
    /// How long a query may wait for its turn; a longer wait is answered with 503.
    pub(crate) max_wait: Timeout,
    /// The query that looks a member up; absent: that of the demo database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) profile_sql: Option<String>,
    /// How many members the embedded demo data has; excludes `url`.
    pub(crate) demo_users: Count<1, 999_999>,
    /// Which demo data is generated: the same seed, the same data; excludes `url`.
    pub(crate) demo_seed: Count<0, { i64::MAX as u64 }>,
    /// When queries stop, because the source fails.
    pub(crate) breaker: Breaker,
    /// How many queries run at a time.
    pub(crate) limit: Limit,
    /// The HTTP back end.
    pub(crate) http: HttpSettings,
    /// How the PostgreSQL database is reached.
    pub(crate) postgres: PostgresSettings,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            url: None,
            connections: Count::of::<4>(),
            deadline: Timeout::seconds::<2>(),
            share: None,
            max_wait: Timeout::milliseconds::<500>(),
            profile_sql: None,
            demo_users: Count::of::<2000>(),
            demo_seed: Count::of::<1>(),
            breaker: Breaker::default(),
            limit: Limit::default(),
            http: HttpSettings::default(),
            postgres: PostgresSettings::default(),
        }
    }
}

impl Source {
    /// The URL of the HTTP back end, if there is one.
    pub(crate) fn back_end(&self) -> Option<&str> {
        match &self.url {
            Some(SourceUrl::Http(url)) => Some(url),
            _ => self.http.url.as_deref(),
        }
    }
}

/// The URL of a supported source.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub(crate) enum SourceUrl {
    /// An SQLite database file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresUrl),
    /// An HTTP back end.
    Http(String),
}

impl Serialize for SourceUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sqlite(path) => {
                serializer.collect_str(&format_args!("sqlite://{}", path.display()))
            }
            Self::Postgres(url) => url.serialize(serializer),
            Self::Http(url) => serializer.serialize_str(url),
        }
    }
}

impl<'de> Deserialize<'de> for SourceUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let url = String::deserialize(deserializer)?;
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        match scheme {
            "sqlite" if !rest.is_empty() => Ok(Self::Sqlite(PathBuf::from(rest))),
            "sqlite" => Err(D::Error::custom(
                "the path is missing; write \"sqlite://PATH\", such as \"sqlite://crm.db\"",
            )),
            // The URL may hold a password, so the error shows only its scheme.
            "http" | "https" => Ok(Self::Http(url)),
            _ => PostgresUrl::parse(&url).map(Self::Postgres).ok_or_else(|| {
                D::Error::custom(
                    "not the URL of a source; write \"postgres://USER@HOST/DATABASE\", \
                     \"sqlite://PATH\" or \"https://HOST/PATH\"",
                )
            }),
        }
    }
}

/// The intents.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CatalogueFile {
    /// A TOML file of intents; absent: the twelve built-in intents.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) file: Option<PathBuf>,
}

/// How the intent of a message is found.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Detector {
    /// What decides: the trained model together with the catalogue's rules and
    /// phrases (`combined`), the model alone (`linear`), or the phrases alone
    /// (`keyword`).
    pub(crate) kind: DetectorKind,
    /// A model that `router train` wrote; absent: the built-in one for the
    /// built-in intents, none for a catalogue's file.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) model: Option<PathBuf>,
    /// The folder of the sentence model that `model` was trained with; only for
    /// one that was, and only in a program built with the feature `semantic`.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) sentence_model: Option<PathBuf>,
}

/// The kind of detector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DetectorKind {
    /// The catalogue's rules, then the model, then the phrases if the model abstains
    /// or there is none.
    #[default]
    Combined,
    /// The model alone.
    Linear,
    /// The phrases alone.
    Keyword,
}

/// The calendar.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Time {
    /// The IANA name of the time zone in which relative periods such as "today" and
    /// "last month" are computed.
    pub(crate) zone: Zone,
}

impl Config {
    /// The intents: those of the catalogue's file, or the built-in ones.
    pub(crate) fn intents(&self) -> &Catalogue {
        self.intents
            .as_ref()
            .unwrap_or_else(|| Catalogue::built_in())
    }
}
