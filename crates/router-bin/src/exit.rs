//! Exit codes of `sysexits.h`, and failures that carry one with a message.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// The exit code of a failed command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    /// The arguments are wrong (`EX_USAGE`).
    Usage = 64,
    /// The input is wrong (`EX_DATAERR`).
    Data = 65,
    /// A resource that the command needs is unavailable (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// The program has a bug (`EX_SOFTWARE`).
    Internal = 70,
    /// Reading or writing failed (`EX_IOERR`).
    Io = 74,
    /// The configuration is wrong (`EX_CONFIG`).
    Config = 78,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// The failure of a command: an exit code, and a message that says what is wrong,
/// where, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
}

impl Failure {
    /// A failure with this code and message.
    pub(crate) fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Converts the result of writing to standard output. A broken pipe is not a failure:
/// its reader wants no more.
pub(crate) fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Code::Io,
            format_args!("cannot write to standard output: {error}"),
        )),
        _ => Ok(()),
    }
}
