//! [`Router`] as a [`tower_service::Service`], and its cache as a layer.

pub(crate) mod layer;

use std::task::{Context, Poll};

use tower_service::Service;

use crate::error::RouteError;
use crate::request::Request;
use crate::response::Routed;
use crate::router::Router;
use crate::source::BoxFuture;

/// Routes as [`Router::route`] does, for stacks of `tower` layers: limits,
/// timeouts, tracing. With the feature `tower`.
///
/// It is always ready: the source bounds its own concurrency. A call clones the
/// router, whose parts are shared, and boxes the future.
///
/// ```
/// use intent_router::{Request, RouteError, Routed, Router};
/// use tower_service::Service;
///
/// async fn answer<S>(service: &mut S, request: Request) -> Result<Routed, RouteError>
/// where
///     S: Service<Request, Response = Routed, Error = RouteError>,
/// {
///     std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
///     service.call(request).await
/// }
///
/// # async fn example(mut router: Router, request: Request) -> Result<Routed, RouteError> {
/// answer(&mut router, request).await
/// # }
/// ```
impl Service<Request> for Router {
    type Response = Routed;
    type Error = RouteError;
    type Future = BoxFuture<'static, Result<Routed, RouteError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), RouteError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let router = self.clone();
        Box::pin(async move { router.route(&request).await })
    }
}
