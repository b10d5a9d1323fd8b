//! The server that the tests start.

use std::net::TcpStream;

use crate::support::PostgresServer;

#[test]
fn data_outlives_stops_and_crashes() {
    let Some(mut server) = PostgresServer::start_with(&["wal_level=logical"]) else {
        return;
    };
    assert_eq!(server.execute("SHOW wal_level"), "logical");
    let url = server.url();
    server.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    server.restart();
    server.execute("INSERT INTO t VALUES (2)");
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.restart();
    assert_eq!(server.url(), url);
    assert_eq!(
        server.execute("SELECT a, -a FROM t ORDER BY a"),
        "1|-1\n2|-2"
    );
}

#[test]
fn a_frozen_server_goes_on_where_it_was() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    server.freeze();
    // The kernel takes the connection, and nobody answers.
    let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    server.thaw();
    drop(stream);
    assert_eq!(server.execute("SELECT 1"), "1");
    let folder = server.data_folder();
    assert!(folder.join("PG_VERSION").is_file());
    drop(server);
    assert!(!folder.exists());
}
