//! The log, which is written to standard error.

use std::any::Any;
use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;
use std::sync::mpsc::channel;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::exit::{Code, Failure};

/// The most lines that wait to be written; further ones are dropped and counted. A
/// line has a few hundred bytes.
const MOST_WAITING: usize = 8192;

/// How long the end of the program waits for lines to be written.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Logs from `level` on or as the variable `ROUTER_LOG` says.
pub(super) fn log(level: &str) -> Result<(), Failure> {
    log_to(level, io::stderr)
}

/// The same for a service, which must not wait for the reader of its log: a thread
/// writes the lines.
pub(super) fn log_without_blocking(level: &str) -> Result<Log, Failure> {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(MOST_WAITING)
        .thread_name("log")
        .finish(io::stderr());
    let dropped_lines = writer.error_counter();
    log_to(level, writer)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(Log {
        dropped_lines,
        guard: Some(guard),
    })
}

fn log_to<W>(level: &str, writer: W) -> Result<(), Failure>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let directives = std::env::var("ROUTER_LOG").unwrap_or_else(|_| level.to_owned());
    let filter = EnvFilter::try_new(directives).map_err(|error| {
        let remedy = "write a level such as `info`, or `target=level`";
        Failure::new(
            Code::Config,
            format_args!("ROUTER_LOG (environment): {error}; {remedy}"),
        )
    })?;
    // The lines of this library quote what clients send.
    let silent = "rmcp=off".parse();
    let filter = filter.add_directive(silent.expect("a target and a level are a directive"));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A line that cannot be written is lost. Reporting that on the same stream
        // would fail too, and then panic.
        .log_internal_errors(false)
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal() && !plain)
        .init();
    Ok(())
}

/// Logs a panic. The default hook writes to standard error itself, which may block,
/// and shows texts that were made of a request's.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let location = location.unwrap_or_default();
    let text = text_of(panic.payload());
    tracing::error!(location, "a panic, which is a bug of this program: {text}");
}

/// The text of a panic if it is in the code. One that was formatted may quote a
/// message.
fn text_of(payload: &dyn Any) -> &'static str {
    let text = payload.downcast_ref::<&'static str>();
    text.copied().unwrap_or("(its text is not logged)")
}

/// A log whose lines a thread writes, until this is dropped.
pub(super) struct Log {
    /// Counts the lines that were dropped.
    pub(super) dropped_lines: ErrorCounter,
    guard: Option<WorkerGuard>,
}

impl Drop for Log {
    /// Waits for the waiting lines to be written, but not for ever: nobody may read
    /// them.
    fn drop(&mut self) {
        let guard = self.guard.take();
        let (done, flushed) = channel();
        // The drop of a guard can block in its turn.
        std::thread::spawn(move || {
            drop(guard);
            done.send(())
        });
        let _ = flushed.recv_timeout(FLUSH_TIME);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::text_of;

    #[test]
    fn the_text_of_a_panic_is_logged_only_if_it_is_in_the_code() {
        let in_the_code = catch_unwind(|| panic!("a bug")).unwrap_err();
        assert_eq!(text_of(&*in_the_code), "a bug");
        // Slices of text quote all of it when they panic.
        let message = "what is my cläim?".to_owned();
        let quoting = catch_unwind(|| message[..14].len()).unwrap_err();
        assert!(quoting.is::<String>());
        assert_eq!(text_of(&*quoting), "(its text is not logged)");
    }
}
