//! The cache around any [`tower_service::Service`] that computes answers.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use crate::request::Request;
use crate::response::Routed;
use crate::router::Router;
use crate::router::aside::{CacheLookup, Computed, FillPermit};
use crate::source::BoxFuture;

/// The reason that waiters get, as the error itself may hold what they must not see.
const FAILED: &str = "the service that computes the answer failed";

/// What identifies the answer to a request: the same question has the same answer.
#[derive(Clone, Debug)]
pub struct Question {
    /// The user, and the intent or the message.
    pub request: Request,
    /// The slots of the question, in the form of the catalogue. With `None` the message
    /// is read for slots.
    pub slots: Option<BTreeMap<String, String>>,
}

/// An answer through [`CacheLayer`].
#[derive(Clone, Debug)]
pub enum Cached {
    /// From the cache; the service was not called, or failed and a stale answer is
    /// allowed instead.
    Stored(Routed),
    /// What the service answered.
    Computed(Computed),
}

/// Keeps the answers of a service that has its own routing, by the rules of
/// [`Router::look_up`]. With the feature `tower`.
///
/// The function says which question a request asks; requests without one, and those
/// that the cache cannot key, go to the service. It must name all that the service
/// reads, as all who ask the same question are served the same answer. The service
/// answers with [`Computed`]: its data, and the records that it is made of as tags.
/// Invalidate by the [`CacheService`](crate::CacheService) of the router.
///
/// One request computes an answer while others wait for it. A request that finds a
/// stale answer and the permit to refresh it waits for the service; others are served
/// the stale answer meanwhile. If the service fails, its error is returned, unless the
/// class allows a stale answer; each waiter then tries once itself.
///
/// The layered service is always ready, so that a hit waits for nothing. A miss makes a
/// clone of the inner service ready and calls it. A computed answer is cloned to be
/// stored.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use intent_router::{
///     CacheLayer, CacheService, Cached, Catalogue, Computed, KeywordDetector, Question, Request,
///     Router, SourceError, UserContext, source_fn,
/// };
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let catalogue = Catalogue::parse(
///     r#"
///     [[intent]]
///     name = "loans"
///     kind = "live_data"
///     answered_by = "caller"
///     phrases = ["my loans"]
///     "#,
/// )?;
/// let detector = Arc::new(KeywordDetector::new(&catalogue));
/// let source = source_fn(|_| async { Err(SourceError::Locked) });
/// let cache = Arc::new(CacheService::builder().build()?);
/// let router = Router::new(Arc::new(catalogue), detector, source, cache)?;
///
/// let service = ServiceBuilder::new()
///     .layer(CacheLayer::new(router, |member: &String| {
///         let mut request = Request::new("", UserContext::new(member.as_str(), "reader"));
///         request.forced_intent = Some("loans".to_owned());
///         Some(Question { request, slots: None })
///     }))
///     .service(service_fn(|member: String| async move {
///         // From your own database.
///         let data = serde_json::json!({ "loans": [format!("Emma, by {member}")] });
///         Ok::<_, std::convert::Infallible>(Computed::new(data, vec!["loan:17".to_owned()]))
///     }));
///
/// let ask = |member: &str| pollster::block_on(service.clone().oneshot(member.to_owned()));
/// assert!(matches!(ask("R-1")?, Cached::Computed(_)));
/// assert!(matches!(ask("R-1")?, Cached::Stored(_)));
/// assert!(matches!(ask("R-2")?, Cached::Computed(_)));
/// # Ok(())
/// # }
/// ```
pub struct CacheLayer<F> {
    router: Router,
    question: Arc<F>,
}

impl<F> CacheLayer<F> {
    /// A layer over the cache of this router; `question` says what a request asks.
    pub fn new(router: Router, question: F) -> Self {
        let question = Arc::new(question);
        Self { router, question }
    }
}

impl<F> Clone for CacheLayer<F> {
    fn clone(&self) -> Self {
        Self {
            router: self.router.clone(),
            question: Arc::clone(&self.question),
        }
    }
}

impl<F> fmt::Debug for CacheLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheLayer").finish_non_exhaustive()
    }
}

impl<S, F> Layer<S> for CacheLayer<F> {
    type Service = WithCache<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        let layer = self.clone();
        WithCache { layer, inner }
    }
}

/// A service whose answers are kept: what [`CacheLayer`] makes.
pub struct WithCache<S, F> {
    layer: CacheLayer<F>,
    inner: S,
}

impl<S: Clone, F> Clone for WithCache<S, F> {
    fn clone(&self) -> Self {
        Self {
            layer: self.layer.clone(),
            inner: self.inner.clone(),
        }
    }
}

impl<S, F> fmt::Debug for WithCache<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithCache").finish_non_exhaustive()
    }
}

impl<R, S, F> Service<R> for WithCache<S, F>
where
    R: Send + 'static,
    S: Service<R, Response = Computed> + Clone + Send + 'static,
    S::Error: Send,
    S::Future: Send,
    F: Fn(&R) -> Option<Question>,
{
    type Response = Cached;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Cached, S::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let question = (self.layer.question)(&request);
        let router = self.layer.router.clone();
        // Not the inner service itself: nothing has made it ready.
        let inner = self.inner.clone();
        Box::pin(async move {
            let (stored, permit) = match question {
                Some(question) => look_up(&router, &question).await,
                None => (None, None),
            };
            match (stored, permit) {
                (Some(stored), None) => Ok(Cached::Stored(stored)),
                (None, None) => compute(inner, request).await.map(Cached::Computed),
                (stored, Some(permit)) => match compute(inner, request).await {
                    Ok(computed) => {
                        // Stored or not, it is what the service answers now.
                        let _ = permit.fill(computed.clone());
                        Ok(Cached::Computed(computed))
                    }
                    Err(error) => match permit.fail(FAILED).or(stored) {
                        Some(stored) => Ok(Cached::Stored(stored)),
                        None => Err(error),
                    },
                },
            }
        })
    }
}

/// A stored answer, and the permit to compute one.
async fn look_up(router: &Router, question: &Question) -> (Option<Routed>, Option<FillPermit>) {
    // The request that was waited for may have failed; then this one tries.
    for _ in 0..2 {
        let slots = question.slots.as_ref();
        let Ok(mut found) = router.look_up(&question.request, slots) else {
            break;
        };
        if let CacheLookup::InFlight(waiter) = found {
            found = waiter.wait().await;
        }
        match found {
            CacheLookup::Answered(stored, due) => return (Some(stored), due),
            CacheLookup::Missing(permit) => return (None, Some(permit)),
            // A wait ends with another result.
            CacheLookup::Failed(_) | CacheLookup::InFlight(_) => {}
            CacheLookup::Bypassed(_) => break,
        }
    }
    (None, None)
}

async fn compute<R, S: Service<R>>(mut inner: S, request: R) -> Result<S::Response, S::Error> {
    poll_fn(|cx| inner.poll_ready(cx)).await?;
    inner.call(request).await
}
