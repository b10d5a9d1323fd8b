//! How a command ends: the exit codes of `sysexits.h`, and the failure that
//! carries one together with what to tell the user.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// Why a command failed, as the calling program is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    /// The command was called with arguments that it does not take (`EX_USAGE`).
    Usage = 64,
    /// The input was wrong (`EX_DATAERR`).
    Data = 65,
    /// Something that the command needs cannot be reached (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// The program itself is at fault (`EX_SOFTWARE`).
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

/// What ended a command early: an exit code, and a message that says what was
/// wrong, where, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
}

impl Failure {
    /// A failure of the given kind.
    pub(crate) fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }

    /// The code to leave with.
    pub(crate) fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The outcome of writing to standard output. A reader that has gone away has
/// seen all that it wanted, so a broken pipe is no failure.
pub(crate) fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Code::Io,
            format_args!("cannot write to standard output: {error}"),
        )),
        _ => Ok(()),
    }
}
