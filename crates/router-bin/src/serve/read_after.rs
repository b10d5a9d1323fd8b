//! `X-Read-After`: a client that has written to the database gets answers that show
//! its write.

use http::{HeaderMap, HeaderName};
use intent_router::CacheUse;

use super::app::App;
use super::cache_headers;
use super::problem::Problem;

const HEADER: HeaderName = HeaderName::from_static("x-read-after");

/// The use of the cache that a request's headers ask for. With `X-Read-After`, waits
/// until the changes up to that position are applied: no longer than `max_lag` of
/// `[changes]`, nor half the time of a request.
///
/// # Errors
/// The header is repeated, or is no position of the feed.
pub(super) async fn cache_use(app: &App, headers: &HeaderMap) -> Result<CacheUse, Problem> {
    let asked = cache_headers::cache_use(headers);
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(asked);
    };
    let malformed = |detail| Err(Problem::bad_request("bad_read_after", detail));
    if values.next().is_some() {
        return malformed("`X-Read-After` is given more than once; send one position");
    }
    let CacheUse::Allowed(reuse) = asked else {
        return Ok(asked);
    };
    let is_applied = match app.changes() {
        Some(changes) => {
            let limit = app.limits().request_timeout / 2;
            let Ok(applied) = changes.wait_for(value.as_bytes(), limit).await else {
                return malformed(
                    "`X-Read-After` is not a position of the database's changes; send the one \
                     that the database reports after the write",
                );
            };
            applied
        }
        None => false,
    };
    Ok(CacheUse::ReadAfter { reuse, is_applied })
}
