//! Networks of `in cidr`.
//!
//! An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is the IPv4 address it maps, because that is how a dual-stack socket
//! spells an IPv4 caller. Apart from that the two families do not meet: `::/0` is every IPv6 address and no IPv4 one. All
//! addresses have a place in one space of 128 bits, in which IPv4 addresses stand where their mapped forms do.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use ipnet::Ipv4Net;

/// Where IPv4 addresses stand among the 128-bit numbers.
const MAPPED: RangeInclusive<u128> = 0xffff_0000_0000..=0xffff_ffff_ffff;

/// A network without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(IpNet);

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworkError {
    /// It is an address without a prefix length; the network that holds it alone.
    Address(Network),
    /// Bits after the prefix are set; the network that was probably meant.
    HostBits(Network),
    /// It is something else.
    Malformed,
}

impl Network {
    /// The network of an address and a prefix length, without its host bits.
    pub fn new(network: IpNet) -> Self {
        let network = network.trunc();
        let IpNet::V6(six) = network else { return Self(network) };
        let mapped = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
        Self(mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4))
    }

    /// Reads an address and a prefix length, and nothing that could mean something else.
    pub(super) fn parse(text: &str) -> Result<Self, NetworkError> {
        // The standard library's addresses are stricter than those of `ipnet`: `010.0.0.0` is octal to some readers.
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address = address.parse::<IpAddr>().map_err(|_| NetworkError::Malformed)?;
        let Some(length) = length else { return Err(NetworkError::Address(Self::new(address.into()))) };
        let digits = length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
        let length = length.parse().ok().filter(|_| digits).ok_or(NetworkError::Malformed)?;
        let network = IpNet::new(address, length).map_err(|_| NetworkError::Malformed)?;
        let meant = Self::new(network);
        if network.trunc() == network { Ok(meant) } else { Err(NetworkError::HostBits(meant)) }
    }

    /// The network as address and prefix length.
    pub fn get(&self) -> IpNet {
        self.0
    }

    /// The addresses of the network as ranges of 128-bit numbers (see [`address_number`]), ascending and disjoint.
    ///
    /// An IPv6 network has two where it encloses the mapped IPv4 addresses, which are not its own.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u128>> {
        let (first, last) = (address_number(self.0.network()), address_number(self.0.broadcast()));
        let encloses = matches!(self.0, IpNet::V6(_)) && first <= *MAPPED.start() && *MAPPED.end() <= last;
        let ranges = if encloses {
            [first..=MAPPED.start().saturating_sub(1), MAPPED.end().saturating_add(1)..=last]
        } else {
            #[expect(clippy::reversed_empty_ranges, reason = "the second range is meant to be empty")]
            let none = 1..=0;
            [first..=last, none]
        };
        ranges.into_iter().filter(|range| !range.is_empty())
    }
}

/// The address a string spells; an IPv4-mapped address is the IPv4 address.
pub fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Ways to spell the address at a place, the usual one first.
pub fn address_spellings(number: u128) -> [String; 4] {
    let six = Ipv6Addr::from_bits(number);
    let full = six.segments().map(|part| format!("{part:04x}")).join(":");
    let usual = six.to_ipv4_mapped().map_or_else(|| six.to_string(), |four| four.to_string());
    [usual, six.to_string(), full.clone(), full.to_ascii_uppercase()]
}

/// The place of an address in the one space of 128 bits.
pub fn address_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => Ipv4Addr::to_ipv6_mapped(&four).to_bits(),
        IpAddr::V6(six) => six.to_bits(),
    }
}

/// The networks that together hold the addresses of some ranges of numbers; an end is not in its range, and `None` is no end.
pub fn networks(ranges: &[(u128, Option<u128>)]) -> Vec<Network> {
    let outside = [(0, *MAPPED.start() - 1), (*MAPPED.end() + 1, u128::MAX)];
    let closed: Vec<(u128, u128)> =
        ranges.iter().map(|&(first, end)| (first, end.map_or(u128::MAX, |end| end.saturating_sub(1)))).collect();
    let holds = |(first, last): (u128, u128)| closed.iter().any(|&(from, to)| from <= first && last <= to);
    let every_six = outside.into_iter().all(holds);
    let mut networks = Vec::new();
    for &(first, last) in &closed {
        blocks(first.max(*MAPPED.start()), last.min(*MAPPED.end()), &mut |start, bits| {
            // INVARIANT: the places of IPv4 addresses end in the 32 bits of the address.
            let address = Ipv4Addr::from_bits(u32::try_from(start & u128::from(u32::MAX)).unwrap_or_default());
            networks.extend(IpNet::new(address.into(), u8::try_from(32_u32.saturating_sub(bits)).unwrap_or_default()).ok());
        });
        for (from, to) in outside {
            if !every_six {
                blocks(first.max(from), last.min(to), &mut |start, bits| {
                    let length = u8::try_from(128_u32.saturating_sub(bits)).unwrap_or_default();
                    networks.extend(IpNet::new(Ipv6Addr::from_bits(start).into(), length).ok());
                });
            }
        }
    }
    if every_six {
        networks.extend(IpNet::new(Ipv6Addr::UNSPECIFIED.into(), 0).ok());
    }
    networks.into_iter().map(Network::new).collect()
}

/// Cuts a range into aligned blocks, each given by its first number and how many bits vary in it.
fn blocks(mut first: u128, last: u128, each: &mut impl FnMut(u128, u32)) {
    while first <= last {
        let aligned = first.trailing_zeros().min(127);
        let room = (last - first).checked_add(1).map_or(127, u128::ilog2);
        let bits = aligned.min(room);
        each(first, bits);
        match first.checked_add(1 << bits) {
            Some(next) => first = next,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, NetworkError>) {
        assert_eq!(Network::parse(text).map(|network| network.get().to_string()), expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn ranges_are_networks_again() {
        for texts in [
            vec!["10.0.0.0/8"],
            vec!["0.0.0.0/0"],
            vec!["::/0"],
            vec!["0.0.0.0/0", "::/0"],
            vec!["10.0.0.4/30", "fd00::/8"],
            vec!["::1/128"],
        ] {
            let given: Vec<Network> = texts.iter().map(|text| network(text)).collect();
            let mut ranges: Vec<(u128, Option<u128>)> =
                given.iter().flat_map(Network::ranges).map(|range| (*range.start(), range.end().checked_add(1))).collect();
            ranges.sort_unstable();
            assert_eq!(networks(&ranges), given, "{texts:?}");
        }
        let odd = networks(&[(address_number("10.0.0.1".parse().unwrap()), Some(address_number("10.0.0.4".parse().unwrap())))]);
        assert_eq!(odd.iter().map(|network| network.get().to_string()).collect::<Vec<_>>(), ["10.0.0.1/32", "10.0.0.2/31"]);
    }

    #[track_caller]
    fn network(text: &str) -> Network {
        Network::parse(text).unwrap()
    }

    #[test]
    fn a_network_is_written_in_full() {
        check("10.0.0.0/8", Ok("10.0.0.0/8"));
        check("::/0", Ok("::/0"));
        check("2001:DB8::/32", Ok("2001:db8::/32"));
        check("::ffff:10.0.0.0/104", Ok("10.0.0.0/8"));
        check("10.1.0.0/8", Err(NetworkError::HostBits(network("10.0.0.0/8"))));
        check("fd00::1/8", Err(NetworkError::HostBits(network("fd00::/8"))));
        check("10.0.0.1", Err(NetworkError::Address(network("10.0.0.1/32"))));
        check("::1", Err(NetworkError::Address(network("::1/128"))));
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "010.0.0.0/8",
            "10.0.0.0/",
            "example.com",
            "10.0.0.0/255.0.0.0",
            " 10.0.0.0/8",
            "10.0.0.0/08",
            "10.0.0.0/+8",
        ] {
            check(text, Err(NetworkError::Malformed));
        }
    }

    #[track_caller]
    fn check_holds(text: &str, address: &str, expected: bool) {
        let number = address_number(parse_address(address).unwrap());
        assert_eq!(network(text).ranges().any(|range| range.contains(&number)), expected, "{address} in {text}");
    }

    #[test]
    fn the_families_meet_only_in_mapped_addresses() {
        check_holds("10.0.0.0/8", "10.255.255.255", true);
        check_holds("10.0.0.0/8", "11.0.0.0", false);
        check_holds("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check_holds("0.0.0.0/0", "255.255.255.255", true);
        check_holds("0.0.0.0/0", "::1", false);
        check_holds("::/0", "::1", true);
        check_holds("::/0", "ffff::", true);
        check_holds("::/0", "10.0.0.1", false);
        check_holds("::/0", "::ffff:10.0.0.1", false);
        check_holds("::ffff:10.0.0.0/104", "10.0.0.1", true);
        check_holds("fd00::/8", "fdff::1", true);
        check_holds("fd00::/8", "fe00::1", false);
    }
}
