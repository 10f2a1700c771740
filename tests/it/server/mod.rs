//! The server: its answers through the router, and its behaviour through real sockets.

mod authzen;
mod bounds;
mod bundle;
mod command;
mod crowd;
mod crud;
mod from_template;
mod live;
mod neosc;
mod reload;
mod router;
mod signed;
mod templates;
mod toggle;
mod versions;
