//! The configuration of the service: one TOML file, overrides from the
//! environment, and a default for everything.

mod aside;
mod auth;
mod catalogue;
mod changes;
mod classes;
mod diagnostics;
mod environment;
mod fields;
mod guard;
mod hosts;
mod http;
mod listeners;
mod load;
mod mcp;
mod places;
mod postgres;
mod privacy;
mod raw;
mod schema;
mod settings;
mod show;
mod snapshot;
mod spelling;
mod units;
mod validate;
mod warnings;
mod web;
mod zone;

pub(crate) use aside::AsideSettings;
pub(crate) use auth::{AuthMode, JwtSettings, ProxySettings, Scope, TokenSettings};
pub(crate) use catalogue::{in_file, text as catalogue_text};
pub(crate) use changes::{WebhookSecret, WebhookSettings, WhenBehind};
pub(crate) use diagnostics::ConfigError;
pub(crate) use hosts::{Host, HostList};
pub(crate) use http::HttpSettings;
pub(crate) use postgres::PostgresUrl;
pub(crate) use privacy::{AuditLog, Privacy};
pub(crate) use schema::schema;
pub(crate) use settings::{Config, DetectorKind, SourceUrl};
pub(crate) use web::Network;
