//! The intents as tools of the Model Context Protocol (MCP), whatever the transport.

mod call;
mod server;
mod tools;

pub(crate) use server::{Answered, Server};
