//! Latencies in buckets: 1/64 of a power of two wide, so within 1.6 % of the truth.

use std::time::Duration;

const FINE_BITS: u32 = 6;
const FINE: usize = 1 << FINE_BITS;
const BUCKETS: usize = 48 * FINE;

/// How often each latency was seen.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
        }
    }
}

impl Histogram {
    /// Counts one latency.
    pub fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos).min(BUCKETS - 1)] += 1;
        self.count += 1;
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    /// How many latencies were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The latency in milliseconds that `share` (0..1) of all stayed at or under; 0 when empty.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return upper_edge(at) as f64 / 1e6;
            }
        }
        0.0
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < FINE as u64 {
        return nanos as usize;
    }
    let exponent = nanos.ilog2() - FINE_BITS;
    let mantissa = (nanos >> exponent) as usize & (FINE - 1);
    (exponent as usize + 1) * FINE + mantissa
}

fn upper_edge(bucket: usize) -> u64 {
    let (exponent, mantissa) = (bucket / FINE, bucket % FINE);
    match exponent {
        0 => mantissa as u64,
        _ => ((FINE + mantissa + 1) as u64) << (exponent - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_two_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=10_000 {
            histogram.record(Duration::from_micros(micros));
        }

        for (share, truth) in [(0.5, 5.0), (0.99, 9.9), (0.999, 9.99), (1.0, 10.0)] {
            let found = histogram.quantile_ms(share);
            assert!((found / truth - 1.0).abs() < 0.02, "{share}: {found}");
        }
        assert_eq!(histogram.count(), 10_000);
        assert_eq!(Histogram::default().quantile_ms(0.5), 0.0);
    }
}
