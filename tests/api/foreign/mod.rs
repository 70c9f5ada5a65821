//! Clients that others wrote: npm's `socket.io-client`, PyPI's `python-socketio` and `websockets`, as front ends use them.

mod front_ends;
mod sockets;
mod websockets;
