//! The figures, and the plain table of them.

use super::sample::Sample;

/// In what something is measured.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// How many there are.
    Count,
    PerSecond,
    /// As often as something else.
    Times,
    Seconds,
    Milliseconds,
    /// Thousands of bytes.
    Kilobytes,
    /// Millions of bytes.
    Megabytes,
}

/// What a figure should be.
#[derive(Clone, Copy)]
enum Aim {
    /// Less than this.
    Under(f64),
    /// At most this many times its baseline.
    AtMost(f64),
    /// At least this many times its baseline.
    AtLeast(f64),
}

/// One line of the table.
pub(crate) struct Figure {
    name: String,
    unit: Unit,
    measured: Result<f64, String>,
    baseline: Option<f64>,
    aim: Option<Aim>,
    notes: Vec<String>,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, unit: Unit, measured: f64) -> Self {
        let (name, measured) = (name.into(), Ok(measured));
        Self { name, unit, measured, baseline: None, aim: None, notes: Vec::new() }
    }

    /// The median of `sample`, with its spread as a note.
    pub(crate) fn median(name: impl Into<String>, unit: Unit, sample: &Sample) -> Self {
        let (from, to) = sample.middle_half();
        let (from, to) = (unit.write(from), unit.write(to));
        Self::new(name, unit, sample.median())
            .note(format!("Median of {}; the middle half lies from {from} to {to}.", sample.len()))
    }

    /// A figure that could not be had.
    pub(crate) fn skipped(name: impl Into<String>, unit: Unit, reason: String) -> Self {
        Self { measured: Err(reason), ..Self::new(name, unit, 0.0) }
    }

    pub(crate) fn baseline(self, baseline: f64) -> Self {
        Self { baseline: Some(baseline), ..self }
    }

    pub(crate) fn aim(self, aim: f64) -> Self {
        Self { aim: Some(Aim::Under(aim)), ..self }
    }

    /// Says that it should be at most `times` its baseline.
    pub(crate) fn at_most(self, times: f64) -> Self {
        Self { aim: Some(Aim::AtMost(times)), ..self }
    }

    /// Says that it should be at least `times` its baseline.
    pub(crate) fn at_least(self, times: f64) -> Self {
        Self { aim: Some(Aim::AtLeast(times)), ..self }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn cells(&self) -> [String; 6] {
        let write = |value: f64| self.unit.write(value);
        let measured = self.measured.as_ref().ok().copied();
        let ratio = measured.zip(self.baseline).map(|(measured, baseline)| measured / baseline);
        let is_met = self.aim.and_then(|aim| match aim {
            Aim::Under(most) => Some(measured? < most),
            Aim::AtMost(times) => Some(ratio? <= times),
            Aim::AtLeast(times) => Some(ratio? >= times),
        });
        let aim = self.aim.map(|aim| match aim {
            Aim::Under(most) => format!("under {}", write(most)),
            Aim::AtMost(times) => format!("at most x {times}"),
            Aim::AtLeast(times) => format!("at least x {times}"),
        });
        [
            self.name.clone(),
            measured.map_or_else(|| "skipped".to_owned(), write),
            self.baseline.map(write).unwrap_or_default(),
            ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            aim.unwrap_or_default(),
            is_met
                .map(|is_met| if is_met { "met" } else { "MISSED" }.to_owned())
                .unwrap_or_default(),
        ]
    }
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::Count => format!("{value:.0}"),
            Self::PerSecond => format!("{value:.0} /s"),
            Self::Times => format!("{value:.2}"),
            Self::Seconds => format!("{value:.2} s"),
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::Kilobytes => format!("{value:.1} kB"),
            Self::Megabytes => format!("{value:.1} MB"),
        }
    }
}

/// Prints the table, and below it what each figure means.
pub(crate) fn print(figures: &[Figure]) {
    let head = ["figure", "portal", "baseline", "ratio", "aim", ""].map(String::from);
    let rows: Vec<_> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let [name, rest @ ..] = row;
        let [width, widths @ ..] = widths;
        let rest: Vec<_> = rest.iter().zip(widths).map(|(c, w)| format!("{c:>w$}")).collect();
        println!("{}", format!("{name:<width$}  {}", rest.join("  ")).trim_end());
    }
    for figure in figures {
        let mut notes = figure.measured.as_ref().err().into_iter().chain(&figure.notes).peekable();
        if notes.peek().is_some() {
            println!("\n{}", figure.name);
        }
        for note in notes {
            println!("  {note}");
        }
    }
}
