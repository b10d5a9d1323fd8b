//! The service under a service manager: notifications, the watchdog, passed sockets.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use support::{Reply, Server, eventually};

/// A socket that is told how the service is.
struct Notifications {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Notifications {
    fn new(test: &str) -> Self {
        let name = format!("router-{test}-{}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a time limit is set");
        Self { socket, path }
    }

    fn path(&self) -> &str {
        self.path.to_str().expect("a path of text")
    }

    /// Waits for a message with this line, and returns it.
    fn wait(&self, line: &str) -> String {
        loop {
            let mut buffer = [0; 1024];
            let length = self.socket.recv(&mut buffer).expect(line);
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.lines().any(|found| found == line) {
                return message;
            }
        }
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn the_manager_is_told_of_start_reload_and_stop() {
    let manager = Notifications::new("notify");
    let server = Server::start(&[("NOTIFY_SOCKET", manager.path())]);
    manager.wait("READY=1");
    assert_eq!(server.get("/readyz").status, 200);
    server.signal("HUP");
    let reloading = manager.wait("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.wait("READY=1");
    server.terminate();
    manager.wait("STOPPING=1");
    assert!(server.wait().success());
}

#[test]
fn the_watchdog_is_told_again_and_again() {
    let manager = Notifications::new("watchdog");
    let server = Server::start(&[
        ("NOTIFY_SOCKET", manager.path()),
        ("WATCHDOG_USEC", "20000"),
    ]);
    for _ in 0..5 {
        manager.wait("WATCHDOG=1");
    }
    drop(server);
}

/// The service with passed sockets, as systemd starts it.
fn with_sockets(sockets: &[(&TcpListener, &str)]) -> Command {
    // The shell's process becomes the service, so it has the number that the variable
    // names.
    let mut program = Command::new("/bin/sh");
    program
        .args([
            "-c",
            "LISTEN_PID=$$ exec \"$0\" serve",
            env!("CARGO_BIN_EXE_router"),
        ])
        .env_clear()
        .env("ROUTER_SOURCE__DEMO_USERS", "50")
        .env("LISTEN_FDS", sockets.len().to_string())
        .stderr(Stdio::null());
    let names: Vec<_> = sockets.iter().map(|(_, name)| *name).collect();
    program.env("LISTEN_FDNAMES", names.join(":"));
    let passed = sockets.iter().zip(3..).map(|((socket, _), child_fd)| {
        let parent_fd = socket.try_clone().expect("the socket is copied").into();
        FdMapping {
            parent_fd,
            child_fd,
        }
    });
    program
        .fd_mappings(passed.collect())
        .expect("the sockets are passed");
    program
}

fn activated(sockets: &[(&TcpListener, &str)]) -> Server {
    let has_admin = sockets.iter().any(|(_, name)| *name == "admin");
    Server::spawn(&mut with_sockets(sockets), has_admin)
}

fn socket() -> (TcpListener, String) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("an address").to_string();
    (socket, address)
}

#[test]
fn passed_sockets_are_used_by_their_names() {
    let (admin, admin_address) = socket();
    let (public, public_address) = socket();
    let server = activated(&[(&admin, "admin"), (&public, "http")]);
    assert_eq!(server.address(), public_address);
    assert_eq!(server.admin(), admin_address);
    server.ask("what is my claim status?", "BEN-000001", "beneficiary");
    server.get("/metrics").is_problem(404, "/metrics");
    let admin = server.into_admin();
    assert_eq!(admin.get("/metrics").status, 200);
}

/// Asks once, on a connection of its own.
fn ask(address: &str) -> Result<(), String> {
    let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    let request = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream
        .write_all(request)
        .map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .map_err(|error| error.to_string())?;
    if answer.starts_with("HTTP/1.1 200") {
        Ok(())
    } else {
        Err(format!("answered {answer:?}"))
    }
}

#[test]
fn restarts_under_load_refuse_no_connection_and_lose_no_request() {
    let (socket, address) = socket();
    let answered = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        ask(&address)?;
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<_, String>(())
                })
            })
            .collect();
        for _ in 0..5 {
            let server = activated(&[(&socket, "http")]);
            let before = answered.load(Ordering::Relaxed);
            eventually("the new process answers", || {
                answered.load(Ordering::Relaxed) > before + 50
                    || clients.iter().any(|client| client.is_finished())
            });
            server.terminate();
            assert!(server.wait().success());
        }
        // The last ones are answered too.
        let server = activated(&[(&socket, "http")]);
        is_over.store(true, Ordering::Relaxed);
        for client in clients {
            assert_eq!(client.join().unwrap(), Ok(()));
        }
        drop(server);
    });
}

#[test]
fn too_many_passed_sockets_are_an_error() {
    let (one, _) = socket();
    let (two, _) = socket();
    let mut program = Command::new("/bin/sh");
    program
        .args([
            "-c",
            "LISTEN_PID=$$ exec \"$0\" serve",
            env!("CARGO_BIN_EXE_router"),
        ])
        .env_clear()
        .env("LISTEN_FDS", "2");
    let passed = [(&one, 3), (&two, 4)].map(|(socket, child_fd)| FdMapping {
        parent_fd: socket.try_clone().unwrap().into(),
        child_fd,
    });
    program.fd_mappings(passed.into()).unwrap();
    let output = program.output().unwrap();
    assert_eq!(output.status.code(), Some(69));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("more than one socket"), "{told}");
}

#[test]
fn other_variables_of_a_manager_do_no_harm() {
    // Meant for another process.
    let server = Server::start(&[("LISTEN_FDS", "1"), ("LISTEN_PID", "1")]);
    let mut stream = server.connect();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    assert_eq!(Reply::read(stream).status, 200);
}

/// A passed socket is checked like a configured address.
#[test]
fn a_passed_socket_does_not_open_the_service_to_other_machines() {
    for name in ["http", "admin"] {
        let socket = TcpListener::bind("0.0.0.0:0").expect("a socket");
        let output = with_sockets(&[(&socket, name)])
            .stderr(Stdio::piped())
            .output()
            .expect("the program runs");
        assert_eq!(output.status.code(), Some(78), "{name}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            error.contains("is reachable from other machines"),
            "{error}"
        );
    }
}
