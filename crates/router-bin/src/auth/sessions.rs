//! The log-ins of the dashboard: a browser's cookie stands for the token that it gave.
//!
//! The cookie holds a random number that means nothing outside this process; the caller
//! that it stands for is kept here, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, header};
use tokio::time::Instant;

use super::caller::Caller;
use super::tokens::SecretDigest;

/// The most log-ins at a time; one more ends the oldest.
const MOST: usize = 64;

/// How long a log-in lasts.
const TIME: Duration = Duration::from_secs(8 * 3600);

/// The name of the cookie.
const COOKIE: &str = "router_session";

/// The log-ins.
pub(super) struct Sessions {
    open: Mutex<HashMap<SecretDigest, Session>>,
    /// Whether browsers send the cookie over HTTPS only.
    secure: bool,
}

struct Session {
    caller: Caller,
    ends: Instant,
}

impl Sessions {
    pub(super) fn new(secure: bool) -> Self {
        Self {
            open: Mutex::default(),
            secure,
        }
    }

    /// Starts a log-in of `caller`; returns the `Set-Cookie` of its browser.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn start(&self, caller: Caller) -> Result<String, getrandom::Error> {
        let mut number = [0; 32];
        getrandom::fill(&mut number)?;
        let id: String = number.iter().map(|byte| format!("{byte:02x}")).collect();
        let ends = Instant::now() + TIME;
        let mut open = self.open();
        if open.len() == MOST {
            let oldest = open.iter().min_by_key(|(_, session)| session.ends);
            if let Some(digest) = oldest.map(|(digest, _)| *digest) {
                open.remove(&digest);
            }
        }
        open.insert(SecretDigest::of(&id), Session { caller, ends });
        Ok(self.cookie(&id, TIME))
    }

    /// The caller whose log-in the request's cookie names, if it has not ended.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let digest = SecretDigest::of(session_id(headers)?);
        let mut open = self.open();
        open.retain(|_, session| session.ends > Instant::now());
        open.get(&digest).map(|session| session.caller.clone())
    }

    /// Ends the log-in that the request's cookie names; returns the `Set-Cookie` that
    /// removes the cookie.
    pub(super) fn end(&self, headers: &HeaderMap) -> String {
        if let Some(id) = session_id(headers) {
            self.open().remove(&SecretDigest::of(id));
        }
        self.cookie("", Duration::ZERO)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SecretDigest, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cookie(&self, id: &str, time: Duration) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let seconds = time.as_secs();
        format!("{COOKIE}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

/// The identifier in the request's cookies.
fn session_id(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get_all(header::COOKIE).iter();
    let texts = fields.filter_map(|field| field.to_str().ok());
    let mut cookies = texts.flat_map(|text| text.split(';'));
    cookies.find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers with which a browser sends a cookie back.
    fn with(set_cookie: &str) -> HeaderMap {
        let cookie = set_cookie.split(';').next().expect("a cookie");
        let mut headers = HeaderMap::new();
        let value = format!("theme=dark; {cookie}; other=1");
        headers.insert(header::COOKIE, value.parse().expect("a value"));
        headers
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_in_lasts_until_it_is_ended_or_its_time_is_over() {
        let sessions = Sessions::new(false);
        let caller = Caller::anonymous();
        let [first, second] = [(); 2].map(|()| sessions.start(caller.clone()).expect("started"));
        assert_ne!(first, second);
        assert_eq!(sessions.caller(&with(&first)), Some(caller.clone()));
        assert_eq!(sessions.caller(&HeaderMap::new()), None);
        assert_eq!(sessions.caller(&with("router_session=")), None);
        let removal = sessions.end(&with(&first));
        assert!(removal.starts_with("router_session=; Path=/; Max-Age=0; "));
        assert_eq!(sessions.caller(&with(&first)), None);
        tokio::time::advance(TIME - Duration::from_secs(1)).await;
        assert_eq!(sessions.caller(&with(&second)), Some(caller));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(sessions.caller(&with(&second)), None);
        assert!(sessions.open().is_empty(), "nothing is kept of it");
    }

    #[tokio::test(start_paused = true)]
    async fn one_log_in_too_many_ends_the_oldest() {
        let sessions = Sessions::new(false);
        let mut cookies = Vec::new();
        for _ in 0..=MOST {
            cookies.push(sessions.start(Caller::anonymous()).expect("started"));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let open = |cookie: &String| sessions.caller(&with(cookie)).is_some();
        let ended: Vec<_> = cookies.iter().map(open).collect();
        assert_eq!(ended.iter().filter(|is_open| **is_open).count(), MOST);
        assert!(!ended[0]);
    }

    #[test]
    fn scripts_and_other_sites_do_not_get_the_cookie() {
        let cookie = |secure| Sessions::new(secure).cookie("1", TIME);
        let expected = "router_session=1; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict";
        assert_eq!(cookie(false), expected);
        assert_eq!(cookie(true), format!("{expected}; Secure"));
    }
}
