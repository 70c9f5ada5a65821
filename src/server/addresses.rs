//! Addresses at which other machines reach this one, the best first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use if_addrs::{IfOperStatus, Interface};

/// Maximum number of addresses to show.
const ADDRESSES_MAX: usize = 8;

/// An address of this machine.
#[derive(Clone, Debug)]
struct Own {
    ip: IpAddr,
    is_up: bool,
    /// Whether it belongs to a bridge or to a container's virtual interface, which other machines cannot reach.
    is_virtual: bool,
}

/// Returns the addresses that other machines may reach, first those of the default routes.
pub(super) fn reachable(with_ipv6: bool) -> Vec<IpAddr> {
    let own = if_addrs::get_if_addrs().unwrap_or_default();
    let own: Vec<_> = own.iter().map(look_at).collect();
    let defaults: Vec<_> = [default_ipv4(), default_ipv6()]
        .into_iter()
        .flatten()
        .collect();
    let mut best = ranked(&defaults, &own);
    best.retain(|ip| ip.is_ipv4() || with_ipv6);
    best.truncate(ADDRESSES_MAX);
    best
}

fn ranked(defaults: &[IpAddr], own: &[Own]) -> Vec<IpAddr> {
    let others = own
        .iter()
        .filter(|one| one.is_up && !one.is_virtual)
        .map(|one| one.ip);
    let (v4, v6): (Vec<_>, Vec<_>) = others.partition(IpAddr::is_ipv4);
    let mut best = Vec::new();
    for ip in defaults.iter().copied().chain(v4).chain(v6) {
        if is_useful(ip) && !best.contains(&ip) {
            best.push(ip);
        }
    }
    best
}

/// Whether other machines can use the address. Loopback serves this machine only; link-local addresses need an
/// interface name, or change at every start.
fn is_useful(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}

fn look_at(interface: &Interface) -> Own {
    use IfOperStatus::{Down, LowerLayerDown, NotPresent};
    let name = &interface.name;
    let is_bridge = Path::new("/sys/class/net").join(name).join("bridge");
    Own {
        ip: interface.ip(),
        is_up: !matches!(interface.oper_status, Down | LowerLayerDown | NotPresent),
        is_virtual: name.starts_with("veth") || is_bridge.exists(),
    }
}

/// Returns the source address of the default route. Connecting a UDP socket sends no packet.
fn default_ipv4() -> Option<IpAddr> {
    source_of(
        (Ipv4Addr::UNSPECIFIED, 0).into(),
        (Ipv4Addr::new(192, 0, 2, 1), 9).into(),
    )
}

fn default_ipv6() -> Option<IpAddr> {
    let elsewhere = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    source_of((Ipv6Addr::UNSPECIFIED, 0).into(), (elsewhere, 9).into())
}

fn source_of(from: SocketAddr, to: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(ip: &str, is_up: bool, is_virtual: bool) -> Own {
        Own {
            ip: ip.parse().unwrap(),
            is_up,
            is_virtual,
        }
    }

    #[test]
    fn the_default_route_is_first_and_unreachable_addresses_are_omitted() {
        let all = [
            own("127.0.0.1", true, false),
            own("172.17.0.1", true, true),
            own("10.8.0.2", true, false),
            own("192.168.1.5", true, false),
            own("192.168.9.5", false, false),
            own("169.254.3.4", true, false),
            own("::1", true, false),
            own("fe80::1", true, false),
            own("fd00::5", true, false),
        ];
        let ranked = |defaults: &[&str]| -> Vec<String> {
            let defaults: Vec<_> = defaults.iter().map(|ip| ip.parse().unwrap()).collect();
            ranked(&defaults, &all)
                .iter()
                .map(IpAddr::to_string)
                .collect()
        };
        assert_eq!(
            ranked(&["192.168.1.5", "fd00::5"]),
            ["192.168.1.5", "fd00::5", "10.8.0.2"]
        );
        assert_eq!(ranked(&[]), ["10.8.0.2", "192.168.1.5", "fd00::5"]);
        // A machine whose only address is on a bridge is reached by that.
        assert_eq!(ranked(&["172.17.0.1"])[0], "172.17.0.1");
    }
}
