//! Live data from an HTTP back end.

mod cache_control;
mod client;
mod kept;
mod options;
mod request;
mod response;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use intent_router::{
    Ask, BoxFuture, CanonicalJson, Catalogue, Deadline, Extent, Found, HttpSpec, Intent, Kind,
    LiveData, NotFound, Read, Records, SourceError,
};
use serde_json::{Map, Value};

use self::client::{Answered, BackEndFailure, Client};
use self::kept::{Kept, Response};
pub use self::options::HttpOptions;
use self::request::{Prepared, Target, is_repeatable};
use crate::catalogue_source::CatalogueSource;
use crate::error::OpenError;

/// A source of records that asks an HTTP back end, by the
/// [request](HttpSpec) of each intent.
///
/// Every identified user is a member: the back end decides what a user may see, and
/// must answer with the records of the user whom the request names.
///
/// Intents without a request have no records here; see
/// [`SourceByIntent`](crate::SourceByIntent) for a catalogue of both kinds.
///
/// Responses with an `ETag` are kept, each for its user, role and request. The next such
/// request has `If-None-Match`, and the back end need not send the records again while
/// they are current. [`HttpOptions::revalidate`] bounds the memory; what is not used for a
/// day is removed.
///
/// Its futures need a Tokio runtime with timers and I/O. Connections are kept for 30 s
/// when idle. The memory of a question is bounded by [`HttpOptions::max_response`].
///
/// ```
/// use intent_router::Catalogue;
/// use live_data::{CatalogueSource, HttpOptions, HttpSource};
///
/// let source = HttpSource::open(&HttpOptions::new("http://127.0.0.1:9000/api"))?;
/// assert_eq!(source.calls(), 0);
/// assert!(source.for_catalogue(Catalogue::built_in()).is_ok());
/// # Ok::<(), live_data::OpenError>(())
/// ```
#[derive(Clone)]
pub struct HttpSource(Arc<BackEnd>);

struct BackEnd {
    target: Target,
    client: Client,
    kept: Kept,
    deadline: Duration,
    health: Option<String>,
}

impl HttpSource {
    /// A source for a back end. Nothing is asked yet.
    ///
    /// # Errors
    /// [`OpenError::BackEnd`] when an option is not valid, or when no certificate
    /// authority is known. It shows no value of a header.
    pub fn open(options: &HttpOptions) -> Result<Self, OpenError> {
        let url = base(&options.url).map_err(OpenError::BackEnd)?;
        let target = Target {
            origin: url.origin,
            base: url.path,
            headers: headers(&options.headers).map_err(OpenError::BackEnd)?,
            user_header: name(options.user_header.as_deref()).map_err(OpenError::BackEnd)?,
            role_header: name(options.role_header.as_deref()).map_err(OpenError::BackEnd)?,
        };
        if let Some(path) = &options.health {
            let probe = target.probe(path).ok().filter(|_| path.starts_with('/'));
            probe.ok_or_else(|| {
                OpenError::BackEnd("the path of `health` must begin with `/`".to_owned())
            })?;
        }
        let client = Client::new(url.https, options).map_err(OpenError::BackEnd)?;
        Ok(Self(Arc::new(BackEnd {
            target,
            client,
            kept: Kept::new(options.revalidate),
            deadline: options.deadline,
            health: options.health.clone(),
        })))
    }

    async fn answer(
        &self,
        spec: &HttpSpec,
        ask: &Ask<'_>,
        calls: &mut u32,
    ) -> Result<Records, BackEndFailure> {
        let request = self.0.target.prepare(spec, ask);
        let request = request.map_err(BackEndFailure::Unaskable)?;
        let answered = self.0.current(request, spec, ask, calls).await?;
        let status = answered.status;
        let body = match (status, spec.not_found) {
            (StatusCode::NOT_FOUND, NotFound::Empty) => &[][..],
            (StatusCode::NOT_FOUND, _) => {
                return Err(BackEndFailure::Refused(format!("answered {status}")));
            }
            _ => &answered.body,
        };
        response::records(ask.intent, spec, &answered.headers, body)
            .map_err(BackEndFailure::Refused)
    }
}

impl BackEnd {
    /// The response to a request: the kept one if the back end says that it is current.
    async fn current(
        &self,
        mut request: Prepared,
        spec: &HttpSpec,
        ask: &Ask<'_>,
        calls: &mut u32,
    ) -> Result<Answered, BackEndFailure> {
        let repeatable = is_repeatable(spec);
        let Some(key) = request.key(ask.principal) else {
            return self.client.ask(&request, repeatable, calls).await;
        };
        let known = self.kept.find(key, Instant::now());
        if let Some(response) = &known.response {
            request.set_condition(response.etag());
        }
        let mut answered = self.client.ask(&request, repeatable, calls).await?;
        if answered.status == StatusCode::NOT_MODIFIED {
            let kept = known.response.as_ref();
            answered = match kept.and_then(|kept| kept.confirmed(&answered.headers)) {
                Some(response) => response,
                None => {
                    request.remove_condition();
                    self.client.ask(&request, repeatable, calls).await?
                }
            };
        }
        let shared = ask.intent.kind == Kind::KnowledgeBase;
        let response = Response::of(&answered, shared);
        self.kept.replace(known, response, Instant::now());
        Ok(answered)
    }

    /// Ends the work at the deadline.
    async fn within<T>(
        &self,
        deadline: Deadline,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let deadline = deadline.min(Deadline::after(Instant::now(), self.deadline));
        match deadline.at() {
            Some(at) => tokio::time::timeout_at(at.into(), work)
                .await
                .unwrap_or_else(|_| Err(deadline.error())),
            None => work.await,
        }
    }
}

impl LiveData for HttpSource {
    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        Box::pin(async move {
            let Some(spec) = &ask.intent.http else {
                let none = Value::Object(Map::new());
                return Ok(Found::new(Records::new(none, Vec::new()), 0));
            };
            let answer = async {
                let mut calls = 0;
                let records = self.answer(spec, &ask, &mut calls).await;
                let records = records.map_err(|failure| failure.of(&ask.intent.name))?;
                Ok(Found::new(records, calls))
            };
            self.0.within(ask.deadline, answer).await
        })
    }

    fn reads(&self, intent: &Intent) -> Option<Vec<Read>> {
        let Some(spec) = &intent.http else {
            return Some(Vec::new());
        };
        let extent = match intent.kind {
            Kind::LiveData => Extent::Part,
            Kind::KnowledgeBase => Extent::Whole,
        };
        let declared = spec.reads.iter();
        let mut reads: Vec<_> = declared
            .map(|kind| Read::new(Some(kind.clone()), extent))
            .collect();
        if reads.is_empty() {
            reads.push(Read::new(None, Extent::Whole));
        }
        Some(reads)
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.0.deadline)
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async move {
            let Some(path) = &self.0.health else {
                return Ok(());
            };
            let probe = async {
                let request = self
                    .0
                    .target
                    .probe(path)
                    .map_err(BackEndFailure::Unavailable);
                let answered = self.0.client.ask(&request?, false, &mut 0).await?;
                match answered.status {
                    StatusCode::NOT_FOUND => {
                        Err(BackEndFailure::Refused("has no such path".to_owned()))
                    }
                    _ => Ok(()),
                }
            };
            let probe = async { probe.await.map_err(|failure| failure.of("health")) };
            self.0.within(Deadline::NEVER, probe).await
        })
    }

    /// Removes the kept responses of the user.
    fn forget(&self, user: &CanonicalJson) -> usize {
        self.0.kept.forget(&user.text())
    }
}

impl CatalogueSource for HttpSource {
    /// Costs nothing: a catalogue was checked when it was read.
    fn for_catalogue(&self, _: &Catalogue) -> Result<Arc<dyn CatalogueSource>, Vec<OpenError>> {
        Ok(Arc::new(self.clone()))
    }

    /// How many requests were sent, repetitions and probes included.
    fn calls(&self) -> u64 {
        self.0.client.attempts()
    }

    /// Always 0: connections are opened as they are needed.
    fn reopened(&self) -> u64 {
        0
    }
}

/// The parts of a back end's URL.
struct Base {
    https: bool,
    origin: String,
    path: String,
}

fn base(url: &str) -> Result<Base, String> {
    // The URL may hold a password, so no error shows it.
    let invalid = || {
        "the URL is not valid; write it as in \"https://backend.example/api\", without a user and \
         a query"
            .to_owned()
    };
    let uri: Uri = url.parse().map_err(|_| invalid())?;
    let https = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        _ => return Err(invalid()),
    };
    let authority = uri.authority().ok_or_else(invalid)?.as_str();
    if authority.contains('@') || uri.query().is_some() || url.contains('#') {
        return Err(invalid());
    }
    let scheme = if https { "https" } else { "http" };
    Ok(Base {
        https,
        origin: format!("{scheme}://{authority}"),
        path: uri.path().trim_end_matches('/').to_owned(),
    })
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (header, text) in pairs {
        let mut value = HeaderValue::from_str(text)
            .map_err(|_| format!("the value of the header {header:?} has control characters"))?;
        value.set_sensitive(true);
        // The second is never `None` for a name.
        if let Some(header) = name(Some(header))? {
            headers.insert(header, value);
        }
    }
    Ok(headers)
}

fn name(name: Option<&str>) -> Result<Option<HeaderName>, String> {
    let parse = |name: &str| {
        HeaderName::try_from(name).map_err(|_| format!("{name:?} is not the name of a header"))
    };
    name.map(parse).transpose()
}
