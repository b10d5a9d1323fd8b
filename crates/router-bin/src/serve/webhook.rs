//! `POST /v1/changes`: signed invalidations.

use std::time::SystemTime;

use axum::Json;
use axum::extract::{Request, State};
use http::StatusCode;

use super::admin::Invalidated;
use super::app::App;
use super::audit::Recorded;
use super::body::{parse, read};
use super::problem::Problem;
use super::selectors::InvalidateBody;
use crate::auth::WebhookRefusal;

/// The most bytes of a body, as its sender is not known before it is read.
const MOST: usize = 256 << 10;

/// The name of the sender in the audit log.
const SENDER: &str = "webhook";

/// Removes entries, for a request that is signed with one of the webhook's secrets.
pub(crate) async fn changes(
    State(app): State<App>,
    request: Request,
) -> Result<Json<Invalidated>, Problem> {
    let mut record = Recorded::new(app.audit(), SENDER, "invalidate", String::new());
    let removed = signed(&app, request, &mut record).await;
    record.end(&removed, removed.as_ref().ok().copied());
    removed.map(|invalidated| Json(Invalidated { invalidated }))
}

async fn signed(app: &App, request: Request, record: &mut Recorded<'_>) -> Result<usize, Problem> {
    let webhook = app.auth().webhook().ok_or(WebhookRefusal::Off);
    let webhook = webhook.map_err(|refusal| refused(app, refusal))?;
    let claimed = webhook.claimed(request.headers(), SystemTime::now());
    let claimed = claimed.map_err(|refusal| refused(app, refusal))?;
    let body = read(request, app, app.limits().max_body.min(MOST)).await?;
    let accepted = webhook.accept(&claimed, body.bytes(), SystemTime::now());
    accepted.map_err(|refusal| refused(app, refusal))?;
    let removed = invalidate(app, body.bytes(), record).await;
    if removed.is_err() {
        webhook.forget(&claimed);
    }
    removed
}

async fn invalidate(app: &App, body: &[u8], record: &mut Recorded<'_>) -> Result<usize, Problem> {
    let body: InvalidateBody = parse(body)?;
    record.shows(body.shown(app));
    app.invalidate(body.selectors(app)?.into()).await
}

/// The problem of a request that is refused, which is logged and counted.
fn refused(app: &App, refusal: WebhookRefusal) -> Problem {
    let detail = refusal.to_string();
    let problem = match refusal {
        WebhookRefusal::Off => Problem::new(StatusCode::NOT_FOUND, "no_webhook", detail),
        WebhookRefusal::Full => Problem::unavailable("webhook_full", detail),
        _ => Problem::new(StatusCode::UNAUTHORIZED, "invalid_signature", detail),
    };
    tracing::info!(reason = %refusal, "a webhook was refused");
    app.metrics().refused(problem.code());
    problem
}
