//! `POST /mcp`: the intents as tools of agents, by the streamable HTTP transport of the
//! Model Context Protocol. Every request stands alone: there are no sessions.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Full};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use super::app::App;
use super::authorise::refused;
use super::body;
use super::budget::BodyBuffer;
use super::problem::Problem;
use super::{read_after, route};
use crate::auth::{Caller, ClaimedUser};
use crate::mcp::{Answered, Server};

/// A body whose memory counts from the budget until the last use of it.
struct Text(BodyBuffer);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// Answers one message of an agent, as the user of the credential.
pub(crate) async fn serve(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    if !app.serves_mcp() {
        let detail = "the tools of agents are off; [mcp] enabled = true serves them";
        return Err(Problem::new(StatusCode::NOT_FOUND, "mcp_off", detail));
    }
    let user = caller
        .user(ClaimedUser::nobody())
        .map_err(|refusal| refused(&app, refusal, "/mcp"))?;
    let limits = app.limits();
    let server = Server {
        router: app.router(),
        user,
        cache_use: read_after::cache_use(&app, request.headers()).await?,
        max_message: limits.max_message,
        answered: recorder(&app),
    };
    let (head, body) = request.into_parts();
    let body = body::read(
        Request::from_parts(head.clone(), body),
        &app,
        limits.max_body,
    )
    .await?;
    let body = Full::new(Bytes::from_owner(Text(body)));
    // Hosts and origins were checked when the request was admitted.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(limits.max_body);
    let sessions = Arc::new(NeverSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(server.clone()), sessions, config);
    let reply = service.handle(Request::from_parts(head, body)).await;
    let mut response = told(reply.map(Body::new)).await;
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// Counts questions as those of `/v1/route`.
fn recorder(app: &App) -> Answered {
    let app = app.clone();
    Arc::new(move |user, routed, began| {
        route::record(&app, user, routed.as_ref(), began, Instant::now());
    })
}

/// The response, with an error in plain text as a problem document.
async fn told(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind == "application/json");
    let status = response.status();
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    // The library's own short text, whole already.
    let text = response.into_body().collect().await;
    let text = text.map(|text| String::from_utf8_lossy(&text.to_bytes()).into_owned());
    Problem::new(status, "mcp_transport", text.unwrap_or_default()).into_response()
}
