//! Numbers on command lines.

/// A count with an optional unit: `b` is 512, `K` 1024, `kB` 1000, and so on. Too large ones are the largest.
pub(crate) fn size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let unit: u64 = match &text[digits..] {
        "" => 1,
        "b" => 512,
        "kB" | "KB" => 1000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "m" | "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        _ => return None,
    };
    Some(count(&text[..digits])?.saturating_mul(unit))
}

/// A number of digits alone. Too large ones are the largest.
pub(crate) fn count(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.bytes().fold(0u64, |n, byte| {
        n.saturating_mul(10).saturating_add(u64::from(byte - b'0'))
    }))
}

/// Seconds as a decimal fraction, in nanoseconds; smaller ones are dropped.
pub(crate) fn nanoseconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { count(whole)? };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(core::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0, |n, byte| n * 10 + u64::from(byte - b'0'));
    Some(whole.saturating_mul(1_000_000_000).saturating_add(nanos))
}

/// A size in bytes as a person likes it: at most three digits and a unit, rounded up.
pub(crate) fn human(bytes: u64) -> alloc::string::String {
    const UNITS: &[u8] = b"KMGTPE";
    if bytes < 1024 {
        return alloc::format!("{bytes}");
    }
    let mut unit = 0;
    // In bytes of the unit below it, so that rounding up sees what was cut off.
    let mut scale: u128 = 1024;
    let bytes = u128::from(bytes);
    while bytes.div_ceil(scale) >= 1024 && unit + 1 < UNITS.len() {
        scale *= 1024;
        unit += 1;
    }
    let letter = char::from(UNITS[unit]);
    let tenths = (bytes * 10).div_ceil(scale);
    if tenths < 100 {
        return alloc::format!("{}.{}{letter}", tenths / 10, tenths % 10);
    }
    alloc::format!("{}{letter}", bytes.div_ceil(scale))
}
