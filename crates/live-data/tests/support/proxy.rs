//! A TCP proxy in front of a PostgreSQL server, which puts faults into connections.
//!
//! Other crates' tests include this file by `#[path]`. It needs the crate `socket2`.
#![allow(dead_code, reason = "no test binary needs all of it")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// What a connection is for, by what its client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Changes: it asked for replication when it logged in.
    Changes,
    /// Records: it has begun a transaction that only reads.
    Records,
    /// Any other, or not known yet.
    Other,
}

/// What happens to the server's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They pass.
    None,
    /// They are held back; nothing is lost.
    Stall,
    /// The connection is reset at the next one.
    Reset,
    /// So many bytes pass, those of all connections together; the next is a
    /// [`Reset`](Self::Reset), which `lasts` or is the only one.
    ResetAfter { bytes: usize, lasts: bool },
}

/// A running proxy. Its threads end with the process.
pub(crate) struct Proxy {
    port: u16,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Faults {
    /// Those that are not `None`.
    list: Mutex<Vec<(Purpose, Fault)>>,
    changed: Condvar,
}

impl Proxy {
    /// Passes connections to this port of 127.0.0.1.
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = Arc::new(Faults::default());
        let shared = Arc::clone(&faults);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                match TcpStream::connect((Ipv4Addr::LOCALHOST, server)) {
                    Ok(server) => pass(client, server, &shared),
                    Err(_) => reset(client),
                }
            }
        });
        Self { port, faults }
    }

    /// `postgres://postgres@127.0.0.1:PORT/postgres`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Puts a fault into the connections of a purpose, those that are open included.
    pub(crate) fn set(&self, purpose: Purpose, fault: Fault) {
        self.faults.set(purpose, fault);
    }

    /// The fault that is in the connections of a purpose.
    pub(crate) fn fault(&self, purpose: Purpose) -> Fault {
        find(&self.faults.list.lock().unwrap(), purpose)
    }
}

fn find(list: &[(Purpose, Fault)], purpose: Purpose) -> Fault {
    let found = list.iter().find(|(of, _)| *of == purpose);
    found.map_or(Fault::None, |(_, fault)| *fault)
}

fn replace(list: &mut Vec<(Purpose, Fault)>, purpose: Purpose, fault: Fault) {
    list.retain(|(of, _)| *of != purpose);
    if fault != Fault::None {
        list.push((purpose, fault));
    }
}

impl Faults {
    fn set(&self, purpose: Purpose, fault: Fault) {
        replace(&mut self.list.lock().unwrap(), purpose, fault);
        self.changed.notify_all();
    }

    /// How many of these bytes pass, and whether the connection is reset after them.
    /// Waits while they are held back.
    fn judge(&self, purpose: impl Fn() -> Purpose, bytes: usize) -> (usize, bool) {
        let mut list = self.list.lock().unwrap();
        loop {
            let purpose = purpose();
            match find(&list, purpose) {
                Fault::None => return (bytes, false),
                Fault::Reset => return (0, true),
                Fault::Stall => {}
                Fault::ResetAfter { bytes: left, lasts } if left < bytes => {
                    let next = if lasts { Fault::Reset } else { Fault::None };
                    replace(&mut list, purpose, next);
                    return (left, true);
                }
                Fault::ResetAfter { bytes: left, lasts } => {
                    let bytes_left = left - bytes;
                    let next = Fault::ResetAfter {
                        bytes: bytes_left,
                        lasts,
                    };
                    replace(&mut list, purpose, next);
                    return (bytes, false);
                }
            }
            list = self.changed.wait(list).unwrap();
        }
    }
}

/// Passes bytes both ways, each by a thread of its own.
fn pass(client: TcpStream, server: TcpStream, faults: &Arc<Faults>) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let purpose = Arc::new(Mutex::new(Purpose::Other));
    let (known, faults) = (Arc::clone(&purpose), Arc::clone(faults));
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let sent = &buffer[..length];
            for (words, purpose) in [
                (&b"replication\0database"[..], Purpose::Changes),
                (b"BEGIN ISOLATION LEVEL REPEATABLE READ", Purpose::Records),
            ] {
                if sent.windows(words.len()).any(|part| part == words) {
                    *known.lock().unwrap() = purpose;
                }
            }
            if to.write_all(sent).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let (mut from, mut to) = (server, client);
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let (passes, is_reset) = faults.judge(|| *purpose.lock().unwrap(), length);
            if to.write_all(&buffer[..passes]).is_err() {
                break;
            }
            if is_reset {
                let _ = from.shutdown(Shutdown::Both);
                return reset(to);
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

/// Closes a connection by a reset, once the other thread has let go of it.
fn reset(stream: TcpStream) {
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    let _ = stream.shutdown(Shutdown::Read);
}
