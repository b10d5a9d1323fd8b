//! Requests at a rate that does not wait for their answers, and their figures.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::client::{self, Reply};

/// An answer, and when its request was sent after the start of the load; a request
/// without an answer has none.
pub(super) struct Sample {
    pub(super) sent: Duration,
    pub(super) reply: Option<Reply>,
}

/// Sends requests at a rate a second, each on a connection and a thread of its own, and
/// waits for all answers. `request` is given their numbers.
pub(super) fn open_loop(
    address: SocketAddr,
    rate: f64,
    time: Duration,
    request: impl Fn(usize) -> String,
) -> Result<Vec<Sample>> {
    let (tell, told) = mpsc::channel();
    let start = Instant::now();
    for number in 0.. {
        let due = Duration::from_secs_f64(number as f64 / rate);
        if due >= time {
            break;
        }
        thread::sleep(due.saturating_sub(start.elapsed()));
        let (tell, request) = (tell.clone(), request(number));
        let send = move || {
            let sent = start.elapsed();
            let reply = client::once(address, client::PATIENCE, &request).ok();
            // The receiver outlives all senders.
            let _ = tell.send(Sample { sent, reply });
        };
        let thread = thread::Builder::new().stack_size(128 << 10);
        thread.spawn(send).context("no thread for a client")?;
    }
    drop(tell);
    Ok(told.into_iter().collect())
}

/// Sends one request after another on one connection for so long; the times of those
/// that were answered with 200.
pub(super) fn closed_loop(
    address: SocketAddr,
    time: Duration,
    pause: Duration,
    request: impl Fn(usize) -> String,
) -> Result<Vec<Duration>> {
    let mut client = client::Client::new(address, client::PATIENCE)?;
    let mut times = Vec::new();
    let start = Instant::now();
    for number in 0.. {
        if start.elapsed() >= time {
            break;
        }
        let reply = client.send(&request(number))?;
        if reply.status == 200 {
            times.push(reply.took);
        }
        thread::sleep(pause);
    }
    Ok(times)
}

/// A quantile of times, which are sorted for it; zero of none.
pub(super) fn quantile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    let rank = (times.len() as f64 * part).ceil() as usize;
    times
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// Median, 99th percentile and maximum, as text.
pub(super) fn spread(times: &mut [Duration]) -> String {
    let [half, most, all] = [0.5, 0.99, 1.0].map(|part| milliseconds(quantile(times, part)));
    format!("p50 {half}, p99 {most}, longest {all}")
}

/// A time in milliseconds with two or three digits that count.
pub(super) fn milliseconds(time: Duration) -> String {
    let number = time.as_secs_f64() * 1_000.0;
    if number < 10.0 {
        format!("{number:.1} ms")
    } else {
        format!("{number:.0} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let mut times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(quantile(&mut times, 0.5), Duration::from_millis(50));
        assert_eq!(quantile(&mut times, 0.99), Duration::from_millis(99));
        assert_eq!(quantile(&mut times, 1.0), Duration::from_millis(100));
        assert_eq!(quantile(&mut [], 0.5), Duration::ZERO);
        assert_eq!(spread(&mut times), "p50 50 ms, p99 99 ms, longest 100 ms");
    }
}
