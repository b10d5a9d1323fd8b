//! Many stored answers: invalidations that look at each, and the memory they take.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use super::client::{self, Client, once, post, question};
use super::load::{closed_loop, spread};
use super::tested::Tested;

const QUESTION: &str = "what is my claim status?";

/// The members of the demo data, and the roles that each asks in.
const MEMBERS: usize = 2_000;
const ROLES: usize = 30;

/// Stores an answer for each member in each role.
fn fill(address: SocketAddr) -> Result<()> {
    const CLIENTS: usize = 8;
    thread::scope(|scope| {
        let fill = |first: usize| {
            let mut client = Client::new(address, client::PATIENCE)?;
            for role in 0..ROLES {
                for member in (first..=MEMBERS).step_by(CLIENTS) {
                    let role = format!("role-{role}");
                    let reply = client.send(&question(QUESTION, member, &role, ""))?;
                    if reply.status != 200 {
                        bail!("status {} while the cache is filled", reply.status);
                    }
                }
            }
            Ok(())
        };
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|first| scope.spawn(move || fill(first)))
            .collect();
        for client in clients {
            match client.join() {
                Ok(filled) => filled?,
                Err(_) => bail!("a client panicked"),
            }
        }
        Ok(())
    })
}

/// Invalidations that compare a pattern with every entry, beside hits.
pub(super) fn pattern(tested: &Tested<'_>) -> Result<Vec<String>> {
    const TIMES: usize = 20;
    let service = tested.serve(&[("ROUTER_CACHE__CAPACITY", "256MiB")])?;
    let address = service.address();
    fill(address)?;
    let hit = |_| question(QUESTION, 1, "role-0", "");
    let mut alone = closed_loop(address, Duration::from_secs(2), Duration::ZERO, hit)?;
    let done = AtomicBool::new(false);
    let (beside, mut took) = thread::scope(|scope| {
        let hits = scope.spawn(|| {
            let mut times = Vec::new();
            while !done.load(Ordering::Relaxed) {
                times.extend(closed_loop(
                    address,
                    Duration::from_millis(100),
                    Duration::ZERO,
                    hit,
                )?);
            }
            anyhow::Ok(times)
        });
        let body = r#"{"pattern": "*/nobody/*"}"#;
        let took: Result<Vec<_>> = (0..TIMES)
            .map(|_| {
                let reply = once(address, client::PATIENCE, &post("/v1/invalidate", "", body))?;
                Ok(reply.took)
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        (hits.join(), took)
    });
    let Ok(beside) = beside else {
        bail!("the client of hits panicked");
    };
    let took = took
        .as_mut()
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    Ok(vec![
        format!("an invalidation takes {}", spread(took)),
        format!("hits alone: {}", spread(&mut alone)),
        format!("hits beside: {}", spread(&mut beside?)),
    ])
}

/// A small cache is given more than fits.
pub(super) fn memory(tested: &Tested<'_>) -> Result<Vec<String>> {
    let service = tested.serve(&[("ROUTER_CACHE__CAPACITY", "16MiB")])?;
    let switch = |on: bool| {
        let body = format!(r#"{{"enabled": {on}}}"#);
        let request = post("/v1/caching", "", &body).replacen("POST", "PUT", 1);
        once(service.address(), client::PATIENCE, &request)
    };
    // What the requests themselves take, such as connections and the database's pages, is
    // not the cache's.
    switch(false)?;
    fill(service.address())?;
    let before = service.resident_mib().unwrap_or_default();
    switch(true)?;
    fill(service.address())?;
    let after = service.resident_mib().unwrap_or_default();
    let answers = MEMBERS * ROLES;
    Ok(vec![format!(
        "{before} MiB resident after {answers} answers with caching off, {after} MiB after as many with it on"
    )])
}
