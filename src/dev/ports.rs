//! Where the daemon listens: the addresses of its documentation, as long as nobody else is there.

use super::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// An address that a flag can change.
struct Port {
    key: &'static str,
    flag: &'static str,
    what: &'static str,
    usual: u16,
}

const PORTS: [Port; 2] = [
    Port {
        key: "grpc.listen",
        flag: "--grpc-listen",
        what: "gRPC",
        usual: 50051,
    },
    Port {
        key: "http.listen",
        flag: "--http-listen",
        what: "HTTP",
        usual: 8480,
    },
];

/// Keys and values for the addresses that no flag gives. With `once` nobody needs to know them beforehand, so a taken one
/// gives way to a free one; else it is an error that says how to choose.
pub(super) fn choose(
    flags: &[(String, String)],
    once: bool,
) -> Result<Vec<(String, String)>, Error> {
    let mut chosen = Vec::new();
    for port in &PORTS {
        let given = flags.iter().find(|(key, _)| key == port.key);
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, port.usual));
        // What is no address is refused by the configuration, with the reason.
        let address = given.map_or(Some(usual), |(_, text)| text.parse().ok());
        match (given, address.filter(is_taken)) {
            (None, Some(_)) if once => {
                chosen.push((port.key, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
            }
            (_, Some(address)) => {
                let (what, flag) = (port.what, port.flag);
                return Err(Error::Taken {
                    address,
                    what,
                    flag,
                });
            }
            (None, None) => chosen.push((port.key, usual)),
            (Some(_), None) => {}
        }
    }
    let owned = |(key, address): (&str, SocketAddr)| (key.to_owned(), address.to_string());
    Ok(chosen.into_iter().map(owned).collect())
}

/// Where gRPC is when it is up to nothing but the flags.
pub(super) fn usual_grpc(flags: &[(String, String)]) -> SocketAddr {
    let [grpc, _] = PORTS;
    let given = flags.iter().find(|(key, _)| key == grpc.key);
    given
        .and_then(|(_, text)| text.parse::<SocketAddr>().ok())
        .filter(|address| address.port() != 0)
        .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, grpc.usual)))
}

fn is_taken(address: &SocketAddr) -> bool {
    TcpListener::bind(address).is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(grpc: &str) -> Vec<(String, String)> {
        let free = ("http.listen".to_owned(), "127.0.0.1:0".to_owned());
        vec![("grpc.listen".to_owned(), grpc.to_owned()), free]
    }

    #[test]
    fn an_address_that_was_asked_for_and_is_taken_is_refused_with_the_flag_to_use() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = holder.local_addr().unwrap().to_string();
        for once in [true, false] {
            let error = choose(&flags(&address), once).unwrap_err().to_string();
            assert!(
                error.contains(&address) && error.contains("--grpc-listen"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_port_that_would_be_chosen_anew_is_not_told_as_the_usual_one() {
        let usual = |grpc| usual_grpc(&flags(grpc)).to_string();
        assert_eq!(usual("127.0.0.1:4711"), "127.0.0.1:4711");
        assert_eq!(usual("127.0.0.1:0"), "127.0.0.1:50051");
        assert_eq!(usual_grpc(&[]).to_string(), "127.0.0.1:50051");
    }

    #[test]
    fn what_flags_give_is_left_to_them() {
        assert_eq!(choose(&flags("127.0.0.1:0"), false).unwrap(), []);
        assert_eq!(choose(&flags("no address"), false).unwrap(), []);
    }
}
