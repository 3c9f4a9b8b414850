//! Exact decimal numbers: both targets read and compare the same digits.
//!
//! A number has at most 15 significant digits, which a double holds exactly. So a number that a
//! JSON parser kept as a double still has the digits that were sent.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The number of decimal places.
pub const PLACES: u32 = 6;
/// The largest number of significant digits.
const DIGITS: usize = 15;
/// One, in the smallest unit.
const ONE: i64 = 10_i64.pow(PLACES);
/// The largest magnitude, as a whole number.
pub const LARGEST: i64 = 1_000_000_000_000;

/// A decimal number with at most [`PLACES`] decimal places and 15 significant digits, and a
/// magnitude of at most [`LARGEST`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

/// The reason why a text is no [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDecimalError {
    /// The text is no number.
    #[error("not a number")]
    NotANumber,
    /// The number is less than the least.
    #[error("too small")]
    TooSmall,
    /// The number is more than the greatest.
    #[error("too large")]
    TooLarge,
    /// The number has more digits than it may.
    #[error("too many digits")]
    TooPrecise,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(ONE);

    /// Returns a whole number; `None` if its magnitude is too large.
    pub fn whole(number: i64) -> Option<Self> {
        let units = number.checked_mul(ONE)?;
        (number.abs() <= LARGEST).then_some(Self(units))
    }

    /// Parses a number in the forms of JSON, of TOML without underscores, and of HTML's number
    /// fields: `-1.5`, `.5`, `1e3`.
    ///
    /// # Errors
    ///
    /// Returns why `text` is no such number.
    pub fn parse(text: &str) -> Result<Self, ParseDecimalError> {
        use ParseDecimalError as Error;
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = split_exponent(digits)?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction)
        {
            return Err(Error::NotANumber);
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        // The power of ten of the last significant digit, in the smallest unit.
        let trailing = digits.len() - digits.trim_end_matches('0').len();
        let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        let power = exponent
            .saturating_sub(places)
            .saturating_add(i64::try_from(trailing).unwrap_or(i64::MAX))
            .saturating_add(i64::from(PLACES));
        let size = i64::try_from(significant.len()).unwrap_or(i64::MAX).saturating_add(power);
        let beyond = if is_negative { Error::TooSmall } else { Error::TooLarge };
        if size > 19 {
            return Err(beyond);
        }
        if significant.len() > DIGITS || power < 0 {
            return Err(Error::TooPrecise);
        }
        let scale = u32::try_from(power).ok().and_then(|power| 10_i64.checked_pow(power));
        let units =
            significant.parse::<i64>().ok().zip(scale).and_then(|(n, by)| n.checked_mul(by));
        let units = units.filter(|units| *units <= LARGEST * ONE).ok_or(beyond)?;
        Ok(Self(if is_negative { -units } else { units }))
    }

    /// Returns it in millionths.
    pub fn millionths(self) -> i64 {
        self.0
    }

    /// Returns whether it is a multiple of `step`, which is more than zero.
    pub fn is_multiple_of(self, step: Self) -> bool {
        self.0.checked_rem(step.0) == Some(0)
    }

    /// Returns the number of decimal places that it needs.
    pub fn places(self) -> u32 {
        (0..=PLACES).find(|places| self.0 % 10_i64.pow(PLACES - places) == 0).unwrap_or(PLACES)
    }

    /// Returns the greatest number of which all lesser ones with this many decimal `places` have
    /// at most 15 digits.
    pub fn greatest_with(places: u32) -> Self {
        let places = places.min(PLACES);
        let digits = u32::try_from(DIGITS).unwrap_or(u32::MAX) - places;
        // The exponent of the largest magnitude in the smallest unit is 18.
        Self(10_i64.pow((digits + PLACES).min(18)) - 10_i64.pow(PLACES - places))
    }

    /// Returns the number with the opposite sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Returns it as a number of JSON.
    pub fn to_json(self) -> serde_json::Number {
        // Every text that it has is a number of JSON.
        self.to_string().parse().unwrap_or_else(|_| serde_json::Number::from(0))
    }
}

/// Splits a number without its sign into the digits and the exponent.
fn split_exponent(digits: &str) -> Result<(&str, i64), ParseDecimalError> {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return Ok((digits, 0)) };
    let (sign, number) = match exponent.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseDecimalError::NotANumber);
    }
    // An exponent that is too long for a number is far beyond every limit.
    Ok((mantissa, sign * number.parse::<i64>().unwrap_or(i64::from(i32::MAX)).min(i32::MAX.into())))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, sign) = (self.0.unsigned_abs(), if self.0 < 0 { "-" } else { "" });
        let (one, width) = (ONE.unsigned_abs(), usize::try_from(PLACES).unwrap_or_default());
        write!(f, "{sign}{}", units / one)?;
        match units % one {
            0 => Ok(()),
            rest => f.write_str(format!(".{rest:0width$}").trim_end_matches('0')),
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As a text, whose form no version of a serializer changes.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_read_exactly_or_refused_with_the_reason() {
        use ParseDecimalError::{NotANumber, TooLarge, TooPrecise, TooSmall};
        for (text, read) in [
            ("0", Ok("0")),
            ("-0", Ok("0")),
            ("-0.0e9", Ok("0")),
            ("1", Ok("1")),
            ("+1", Ok("1")),
            (".5", Ok("0.5")),
            ("5.", Ok("5")),
            ("-1.50", Ok("-1.5")),
            ("1e3", Ok("1000")),
            ("1E+3", Ok("1000")),
            ("1e-6", Ok("0.000001")),
            ("1000000000000", Ok("1000000000000")),
            ("1000000000001", Err(TooLarge)),
            ("-1e300", Err(TooSmall)),
            ("1e99999999999999999999", Err(TooLarge)),
            ("1e-99999999999999999999", Err(TooPrecise)),
            ("0.0000001", Err(TooPrecise)),
            ("0.30000000000000004", Err(TooPrecise)),
            ("100000000.000001", Ok("100000000.000001")),
            ("10000000000.000001", Err(TooPrecise)),
            ("", Err(NotANumber)),
            (".", Err(NotANumber)),
            ("-", Err(NotANumber)),
            ("1,5", Err(NotANumber)),
            ("0x10", Err(NotANumber)),
            ("1e", Err(NotANumber)),
            ("--1", Err(NotANumber)),
            ("nan", Err(NotANumber)),
            ("1 ", Err(NotANumber)),
            ("١", Err(NotANumber)),
        ] {
            let number = Decimal::parse(text).map(|number| number.to_string());
            assert_eq!(number, read.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn the_greatest_number_of_a_precision_has_fifteen_digits() {
        for (places, text) in
            [(0, "999999999999"), (3, "999999999999.999"), (6, "999999999.999999")]
        {
            assert_eq!(Decimal::greatest_with(places).to_string(), text);
            assert_eq!(Decimal::parse(text), Ok(Decimal::greatest_with(places)));
        }
    }

    #[test]
    fn multiples_and_places_are_exact() {
        let number = |text| Decimal::parse(text).unwrap();
        assert!(number("0.3").is_multiple_of(number("0.1")));
        assert!(number("-0.3").is_multiple_of(number("0.1")));
        assert!(!number("0.35").is_multiple_of(number("0.1")));
        assert_eq!((number("1").places(), number("0.25").places()), (0, 2));
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_text_is_parsed_without_a_panic_and_reads_back(text in "\\PC{0,30}|[-+.eE0-9]{0,30}") {
            if let Ok(number) = Decimal::parse(&text) {
                prop_assert_eq!(Decimal::parse(&number.to_string()), Ok(number));
            }
        }

        #[test]
        fn a_number_is_the_same_after_a_parser_has_kept_it_as_a_double(
            digits in 0_i64..=999_999_999_999_999, places in 0_u32..=6, minus in any::<bool>()
        ) {
            let text = format!("{}{digits}e-{places}", if minus { "-" } else { "" });
            if let Ok(number) = Decimal::parse(&text) {
                let json: serde_json::Value = serde_json::from_str(&number.to_string()).unwrap();
                prop_assert_eq!(Decimal::parse(&json.to_string()), Ok(number));
                prop_assert_eq!(&serde_json::Value::Number(number.to_json()), &json);
            }
        }
    }
}
