//! A cheap WebSocket client: counts frames by their headers and never parses JSON.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Size of the read buffer, in bytes.
pub const SCRATCH: usize = 256 * 1024;
const PONG: &[u8] = &[0x8A, 0x80, 0, 0, 0, 0];
/// Engine.IO sends its heartbeat in text frames: `2` is a ping, `3` a pong.
const ENGINE_PING: &[u8] = b"2";
const ENGINE_PONG: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, b'3'];

/// An open connection, with independent sending and receiving.
pub struct Client {
    stream: TcpStream,
    /// An incomplete frame.
    rest: RefCell<Vec<u8>>,
}

impl Client {
    /// Connects and does the handshake, with a bearer token if there is one.
    pub async fn open(address: SocketAddr, path: &str, token: Option<&str>) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let bearer = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{bearer}\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let end = loop {
            if let Some(end) = find(&answer, b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        if !answer.starts_with(b"HTTP/1.1 101") {
            return Err(io::Error::other(
                String::from_utf8_lossy(&answer).into_owned(),
            ));
        }
        let rest = RefCell::new(answer.split_off(end));
        Ok(Self { stream, rest })
    }

    /// Sends frames made by [`append`].
    pub async fn send(&self, mut frames: &[u8]) -> io::Result<()> {
        while !frames.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(frames) {
                Ok(sent) => frames = &frames[sent..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends a few short frames at once, without waiting for buffer space.
    pub fn send_now(&self, frames: &[u8]) -> io::Result<()> {
        match self.stream.try_write(frames)? {
            sent if sent == frames.len() => Ok(()),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Passes the payload of each text frame to `heard`, until it returns true or the connection ends.
    pub async fn listen(
        &self,
        scratch: &RefCell<Vec<u8>>,
        mut heard: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<()> {
        if self.parse_rest(&mut heard) {
            return Ok(());
        }
        loop {
            self.stream.readable().await?;
            let mut scratch = scratch.borrow_mut();
            let bytes = match self.stream.try_read(&mut scratch) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => &scratch[..read],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            let mut rest = self.rest.borrow_mut();
            if rest.is_empty() {
                let (used, done) = self.parse(bytes, &mut heard);
                if used < bytes.len() {
                    rest.extend_from_slice(&bytes[used..]);
                }
                if done {
                    return Ok(());
                }
                continue;
            }
            rest.extend_from_slice(bytes);
            drop(rest);
            if self.parse_rest(&mut heard) {
                return Ok(());
            }
        }
    }

    fn parse_rest(&self, heard: &mut impl FnMut(&[u8]) -> bool) -> bool {
        let mut rest = self.rest.take();
        let (used, done) = self.parse(&rest, heard);
        rest.drain(..used);
        if !rest.is_empty() {
            self.rest.replace(rest);
        }
        done
    }

    /// Returns the number of bytes in complete frames, and whether `heard` returned true.
    fn parse(&self, bytes: &[u8], heard: &mut impl FnMut(&[u8]) -> bool) -> (usize, bool) {
        let mut used = 0;
        let mut done = false;
        while let Some((opcode, start, end)) = frame(&bytes[used..]) {
            let payload = &bytes[used + start..used + end];
            used += end;
            match opcode {
                1 if payload == ENGINE_PING => drop(self.stream.try_write(ENGINE_PONG)),
                1 => done |= heard(payload),
                8 => eprintln!("closed by the server: {}", String::from_utf8_lossy(payload)),
                9 => drop(self.stream.try_write(PONG)),
                _ => {}
            }
            if done {
                break;
            }
        }
        (used, done)
    }
}

/// Returns opcode, start and end of the payload of the first complete server frame.
fn frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (opcode, len) = (bytes.first()? & 0x0F, usize::from(*bytes.get(1)?));
    let (start, len) = match len {
        126 => (
            4,
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (
            10,
            u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize,
        ),
        len => (2, len),
    };
    (bytes.len() >= start + len).then_some((opcode, start, start + len))
}

/// Appends a client's text frame. The mask is zero, which is allowed and costs the server the same.
pub fn append(out: &mut Vec<u8>, text: &str) {
    out.push(0x81);
    match text.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(text.as_bytes());
}

/// Returns the position of `what`.
pub fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
