//! The A2A door through the true program, by clients that others wrote: curl, and the vendor's own
//! Python package in two of its versions with the SignalR client that it brings.

mod broker;
mod credentials;
mod events;
mod refused;
mod scene;
mod set_up;
