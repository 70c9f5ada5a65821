//! Third-party clients, as front ends use them: npm's `socket.io-client`, PyPI's `python-socketio` and `websockets`.

mod front_ends;
mod sockets;
mod websockets;
