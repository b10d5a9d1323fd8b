//! Signed requests: who may say that records changed.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use intent_router::Diagnostic;
use parking_lot::Mutex;
use sha2::Sha256;

use super::check::Check;
use super::secret::Place;
use crate::config::{WebhookSecret, WebhookSettings};

/// The header of the time at which a request was signed.
const TIMESTAMP: &str = "x-timestamp";

/// The header of the signature.
const SIGNATURE: &str = "x-signature";

/// The fewest bytes of a secret.
const LEAST: usize = 16;

/// How many signatures are remembered. Each takes some 60 bytes.
const MOST_REMEMBERED: usize = 65_536;

/// Checks signed requests, each of which counts once.
pub(crate) struct Webhook {
    keys: Vec<Hmac<Sha256>>,
    window: Duration,
    seen: Mutex<BTreeSet<Signed>>,
}

/// When a request was signed, since 1970, and its signature.
type Signed = (Duration, [u8; 32]);

/// What the headers of a request say. Nothing of it is verified.
#[derive(Debug)]
pub(crate) struct Claimed {
    /// The time as it is written, which is signed.
    timestamp: String,
    signed: Signed,
}

/// Why a signed request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WebhookRefusal {
    #[error("no webhook is configured; set `changes.webhook.secrets`")]
    Off,
    #[error("send X-Timestamp, in seconds since 1970, and X-Signature, as sha256=HEX")]
    Unsigned,
    #[error("X-Timestamp is not within the window around the time here; sign the request again")]
    OutsideWindow,
    #[error("X-Signature is not that of the request, by any secret")]
    Forged,
    #[error("the request was received already; sign it again, with a time of its own")]
    Replayed,
    #[error("more requests came within the window than can be remembered; send it again later")]
    Full,
}

impl Webhook {
    /// Reads the secrets; `None` if there are none.
    pub(super) fn open(settings: &WebhookSettings, check: &mut Check<'_>) -> Option<Self> {
        let mut keys = Vec::with_capacity(settings.secrets.len());
        for secret in &settings.secrets {
            match key(secret) {
                Ok(key) => keys.push(key),
                Err(error) => check.found("changes.webhook.secrets", error),
            }
        }
        (!keys.is_empty()).then(|| Self::new(keys, settings.window.get()))
    }

    fn new(keys: Vec<Hmac<Sha256>>, window: Duration) -> Self {
        Self {
            keys,
            window,
            seen: Mutex::default(),
        }
    }

    /// Reads the headers, so that a request which is too old is refused before its body is
    /// read. `now` is the time of the calendar.
    pub(crate) fn claimed(
        &self,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Result<Claimed, WebhookRefusal> {
        let text = |name| {
            let mut values = headers.get_all(name).iter();
            // Of two values, another program may have checked the other one.
            let only = values.next().filter(|_| values.next().is_none());
            only.and_then(|value| value.to_str().ok())
                .ok_or(WebhookRefusal::Unsigned)
        };
        let timestamp = text(TIMESTAMP)?;
        let at = moment(timestamp).ok_or(WebhookRefusal::Unsigned)?;
        let signature = text(SIGNATURE)?.strip_prefix("sha256=").and_then(bytes);
        let signature = signature.ok_or(WebhookRefusal::Unsigned)?;
        if at.abs_diff(since_1970(now)) > self.window {
            return Err(WebhookRefusal::OutsideWindow);
        }
        Ok(Claimed {
            timestamp: timestamp.to_owned(),
            signed: (at, signature),
        })
    }

    /// Verifies the signature of a body and remembers it.
    pub(crate) fn accept(
        &self,
        claimed: &Claimed,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), WebhookRefusal> {
        let Claimed { timestamp, signed } = claimed;
        let mut is_signed = false;
        for key in &self.keys {
            let mut mac = key.clone();
            mac.update(timestamp.as_bytes());
            mac.update(b".");
            mac.update(body);
            // In constant time, and with every key.
            is_signed |= mac.verify_slice(&signed.1).is_ok();
        }
        if !is_signed {
            return Err(WebhookRefusal::Forged);
        }
        let now = since_1970(now);
        let mut seen = self.seen.lock();
        // What is older than the window is refused by its time.
        while seen.first().is_some_and(|(at, _)| *at + self.window < now) {
            seen.pop_first();
        }
        if seen.contains(signed) {
            return Err(WebhookRefusal::Replayed);
        }
        if seen.len() == MOST_REMEMBERED {
            return Err(WebhookRefusal::Full);
        }
        seen.insert(*signed);
        Ok(())
    }

    /// Forgets a request that had no effect, so that it can be sent again as it is.
    pub(crate) fn forget(&self, claimed: &Claimed) {
        self.seen.lock().remove(&claimed.signed);
    }
}

/// The key of a secret.
fn key(secret: &WebhookSecret) -> Result<Hmac<Sha256>, Diagnostic> {
    let names = ["", "changes.webhook.secrets"];
    let text = Place::of(names, None, Some(secret.variable()))?.read()?;
    if text.len() < LEAST {
        let message = format!("the secret in {} is too short", secret.variable());
        return Err(Diagnostic::error(message)
            .with_remedy(format!("use {LEAST} characters or more, chosen at random")));
    }
    Hmac::new_from_slice(text.as_bytes()).map_err(|error| Diagnostic::error(error.to_string()))
}

/// A time since 1970, in seconds with at most nine digits after a point.
fn moment(text: &str) -> Option<Duration> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || seconds.len() > 11 || fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration::new(seconds.parse().ok()?, nanos))
}

/// The bytes of 64 hex digits.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);
    const BODY: &[u8] = b"{\"tag\": \"claim:1\"}";

    fn mac(secret: &str) -> Hmac<Sha256> {
        Hmac::new_from_slice(secret.as_bytes()).expect("any length")
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn headers(secret: &str, timestamp: &str) -> HeaderMap {
        let mut mac = mac(secret);
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(BODY);
        let tag = mac.finalize().into_bytes();
        let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut headers = HeaderMap::new();
        headers.insert(TIMESTAMP, timestamp.parse().expect("a value"));
        let signature = format!("sha256={hex}");
        headers.insert(SIGNATURE, signature.parse().expect("a value"));
        headers
    }

    fn take(
        webhook: &Webhook,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), WebhookRefusal> {
        webhook.accept(&webhook.claimed(headers, now)?, body, now)
    }

    #[test]
    fn a_request_counts_once_and_by_any_secret() {
        let webhook = Webhook::new(vec![mac("old"), mac("new")], WINDOW);
        for secret in ["old", "new"] {
            let headers = headers(secret, "1000");
            assert_eq!(take(&webhook, &headers, BODY, at(1000)), Ok(()));
            let again = take(&webhook, &headers, BODY, at(1300));
            assert_eq!(again, Err(WebhookRefusal::Replayed));
        }
        let forged = take(&webhook, &headers("other", "1000"), BODY, at(1000));
        assert_eq!(forged, Err(WebhookRefusal::Forged));
        let changed = take(&webhook, &headers("new", "1001"), b"{}", at(1000));
        assert_eq!(changed, Err(WebhookRefusal::Forged));
        let mut moved = headers("new", "1002");
        moved.insert(TIMESTAMP, "1003".parse().expect("a value"));
        let moved = take(&webhook, &moved, BODY, at(1000));
        assert_eq!(moved, Err(WebhookRefusal::Forged));
        assert_eq!(
            take(&webhook, &headers("new", "1000.5"), BODY, at(1000)),
            Ok(())
        );
    }

    #[test]
    fn the_time_is_within_the_window() {
        let webhook = Webhook::new(vec![mac("s")], WINDOW);
        let outside = Err(WebhookRefusal::OutsideWindow);
        for (signed, expect) in [
            ("700", Ok(())),
            ("699.999999999", outside),
            ("1300", Ok(())),
            ("1300.000000001", outside),
            ("99999999999", outside),
        ] {
            let headers = headers("s", signed);
            assert_eq!(take(&webhook, &headers, BODY, at(1000)), expect, "{signed}");
        }
    }

    #[test]
    fn headers_that_say_nothing_are_refused() {
        let webhook = Webhook::new(vec![mac("s")], WINDOW);
        let refused = |headers: &HeaderMap| {
            let refusal = webhook.claimed(headers, at(1000)).expect_err("nothing");
            assert_eq!(refusal, WebhookRefusal::Unsigned);
        };
        refused(&HeaderMap::new());
        for time in [
            "",
            "now",
            "-1",
            "+1000",
            "1e3",
            "1000.",
            ".5",
            "1000.0000000000",
            "999999999999",
        ] {
            refused(&headers("s", time));
        }
        let good = headers("s", "1000");
        for signature in ["", "sha256=", "sha1=00", &"0".repeat(64), "sha256=é"] {
            let mut headers = good.clone();
            let value = http::HeaderValue::from_bytes(signature.as_bytes()).expect("a value");
            headers.insert(SIGNATURE, value);
            refused(&headers);
        }
        let mut twice = good.clone();
        twice.append(TIMESTAMP, "1001".parse().expect("a value"));
        refused(&twice);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten_after_the_window() {
        let webhook = Webhook::new(vec![mac("s")], WINDOW);
        let filler = (0..MOST_REMEMBERED as u32).map(|n| (Duration::from_nanos(n.into()), [0; 32]));
        webhook.seen.lock().extend(filler);
        let early = headers("s", "300");
        let full = take(&webhook, &early, BODY, at(300));
        assert_eq!(full, Err(WebhookRefusal::Full));
        let now = at(301);
        assert_eq!(take(&webhook, &early, BODY, now), Ok(()));
        assert_eq!(webhook.seen.lock().len(), 1);
        let claimed = webhook.claimed(&early, now).expect("headers");
        webhook.forget(&claimed);
        assert_eq!(take(&webhook, &early, BODY, now), Ok(()));
    }
}
