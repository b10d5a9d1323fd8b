//! `router mcp`: the intents as tools of an agent, on standard input and output.

use std::sync::Arc;

use clap::Args;
use intent_router::{CacheUse, RouteError, UserContext};
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::io::stdio_pipes;

use super::serve::bounded;
use super::startup::runtime;
use crate::config::Config;
use crate::exit::{Code, Failure};
use crate::mcp::Server;
use crate::setup::Assembly;

/// Serves the intents as tools of an agent.
#[derive(Args, Debug)]
pub(crate) struct McpArgs {
    /// The user for whom all tools answer, such as BEN-000001; by default a guest.
    #[arg(long, value_name = "ID", env = "ROUTER_MCP_USER_ID")]
    user_id: Option<String>,
    /// The role of the user.
    #[arg(
        long,
        value_name = "ROLE",
        env = "ROUTER_MCP_ROLE",
        default_value = "beneficiary"
    )]
    role: String,
}

/// Serves until the client closes standard input.
pub(super) fn run(config: &Config, args: McpArgs) -> Result<(), Failure> {
    let assembly = Assembly::new(config)?;
    let user = match args.user_id {
        Some(id) => UserContext::new(&id, &args.role),
        None => UserContext::guest(),
    };
    let server = Server {
        router: Arc::clone(assembly.router()),
        user,
        cache_use: CacheUse::default(),
        max_message: bounded(config.server.max_message.get()),
        answered: Arc::new(|_, routed, _| {
            if let Err(RouteError::Source(error)) = routed {
                tracing::warn!(%error, "the source failed");
            }
        }),
    };
    let max_line = bounded(config.server.max_body.get());
    runtime()?.block_on(serve(server, max_line))
}

/// Serves one client. Longer lines than `max_line` bytes are dropped.
async fn serve(server: Server, max_line: usize) -> Result<(), Failure> {
    let (input, output) = stdio_pipes();
    let transport = AsyncRwTransport::new_server(input, output).with_max_line_length(max_line);
    let running = match server.serve(transport).await {
        Ok(running) => running,
        // The client left before it began.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(_) => {
            let remedy = "it must begin with `initialize` or `server/discover`";
            let message = format_args!("the MCP client cannot be served: {remedy}");
            return Err(Failure::new(Code::Data, message));
        }
    };
    match running.waiting().await {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(
            Code::Internal,
            format_args!("the MCP server ended: {error}"),
        )),
    }
}
