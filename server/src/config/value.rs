//! The kinds of values a setting may have: parsed once, so that nothing empty, endless or
//! nonsensical gets further than the file.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a door listens, or that it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// On this address; port 0 lets the operating system pick one.
    On(SocketAddr),
    /// Nowhere: `off`.
    Off,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse().map(Self::On).map_err(|_| {
            format!("{text:?} is neither an address with a port like 127.0.0.1:7070 nor off")
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(address) => address.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

/// A span of time, at least a millisecond and at most 3650 days: `250ms`, `10s`, `5m`, `1h`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// So many milliseconds, kept within the limits of a span.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        let most = Self::MOST_MILLIS;
        let kept = if millis == 0 { 1 } else { millis };
        Self(Duration::from_millis(if kept > most { most } else { kept }))
    }

    /// So many seconds, kept within the limits of a span.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// The span.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    const MOST_MILLIS: u64 = 3650 * 86_400_000;
    const UNITS: [(&'static str, u64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let millis = scaled(text, &Self::UNITS)
            .ok_or_else(|| format!("{text:?} is no span of time like 250ms, 10s, 5m, 1h or 30d"))?;
        if millis == 0 || millis > Self::MOST_MILLIS {
            return Err(format!("{text:?} is not between 1ms and 3650d"));
        }
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        unscaled(millis, &Self::UNITS, f)
    }
}

/// A number of bytes, at least one and at most a TiB: `512B`, `16KiB`, `1MiB`, `2GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// So many KiB, kept within the limits of a size.
    #[must_use]
    pub const fn from_kib(kib: u64) -> Self {
        let bytes = if kib == 0 {
            1
        } else {
            kib.saturating_mul(1024)
        };
        Self(if bytes > Self::MOST {
            Self::MOST
        } else {
            bytes
        })
    }

    /// So many MiB, kept within the limits of a size.
    #[must_use]
    pub const fn from_mib(mib: u64) -> Self {
        Self::from_kib(mib.saturating_mul(1024))
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The bytes, for a limit on something in memory.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    const MOST: u64 = 1 << 40;
    const UNITS: [(&'static str, u64); 4] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("B", 1),
    ];
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = scaled(text, &Self::UNITS)
            .ok_or_else(|| format!("{text:?} is no size like 512B, 16KiB, 1MiB or 2GiB"))?;
        if bytes == 0 || bytes > Self::MOST {
            return Err(format!("{text:?} is not between 1B and 1024GiB"));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        unscaled(self.0, &Self::UNITS, f)
    }
}

/// Digits and a unit; nothing else, no sign, no blank, no fraction.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*scale)
}

/// The largest unit that says it without a rest.
fn unscaled(number: u64, units: &[(&str, u64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (name, scale) in units {
        if number.is_multiple_of(*scale) {
            return write!(f, "{}{name}", number / scale);
        }
    }
    write!(f, "{number}")
}

/// A text that says something: never empty, no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Text {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("it is empty: give it a value, or put a # before the line".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err(format!("{text:?} holds a control character"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file or folder, beside the data unless it begins with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Text);

impl Place {
    /// A place with a fixed name beside the data.
    pub(crate) fn beside(name: &'static str) -> Self {
        Self(Text(name.to_owned()))
    }

    /// Where that is, seen from the data directory.
    #[must_use]
    pub fn within(&self, data: &Path) -> PathBuf {
        data.join(self.0.as_str())
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! as_text {
    ($($type:ident),*) => { $(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )* };
}

as_text!(Listen, Span, Size, Text, Place);

/// How many: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(u32);

impl Count {
    /// That many; none becomes one.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(if number == 0 { 1 } else { number })
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number, for a limit on something in memory.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u32::try_from(number) {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(serde::de::Error::custom(format!(
                "{number} is not between 1 and {}",
                u32::MAX
            ))),
        }
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_read_back_as_they_are_written() {
        for text in ["1ms", "250ms", "10s", "90s", "5m", "36h", "30d", "3650d"] {
            assert_eq!(
                text.parse::<Span>().unwrap().to_string().parse(),
                text.parse::<Span>()
            );
        }
        for (text, bytes) in [
            ("1B", 1),
            ("16KiB", 16384),
            ("1MiB", 1 << 20),
            ("2GiB", 2 << 30),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, text));
        }
    }

    #[test]
    fn what_is_empty_endless_or_without_a_unit_is_refused() {
        for text in [
            "",
            "10",
            "0s",
            "-1s",
            "1.5s",
            " 1s",
            "1 s",
            "s",
            "4000d",
            "99999999999999999999s",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
        for text in ["", "1", "0B", "1MB", "1mib", "1025GiB", "+1B"] {
            assert!(text.parse::<Size>().is_err(), "{text:?}");
        }
        for text in ["", "on", "OFF", "7070", "localhost:7070", "127.0.0.1"] {
            assert!(text.parse::<Listen>().is_err(), "{text:?}");
        }
        for text in ["", "  ", "a\nb"] {
            assert!(text.parse::<Text>().is_err(), "{text:?}");
        }
    }
}
