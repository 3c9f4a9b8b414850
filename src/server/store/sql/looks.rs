//! Counts looks at stacks by days.

use jiff::Timestamp;

use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::Columns;
use super::statement::Statement;
use crate::server::store::{DayLooks, LookCounts, Result, day_of};
use domain::stack_id::StackId;

/// The number of days for which looks are kept.
const DAYS: i64 = 90;

/// Adds these looks to those of the day, and deletes those of days that are long gone.
pub(super) async fn count<D: Dialect>(
    tx: &mut Transaction<D>,
    at: Timestamp,
    looks: &[(StackId, LookCounts)],
) -> Result<()> {
    let (mut stacks, mut good, mut bad, mut unknown) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (stack, counts) in looks {
        stacks.push(stack.to_string());
        good.push(i64::from(counts.good));
        bad.push(i64::from(counts.bad));
        unknown.push(i64::from(counts.unknown));
    }
    let given = D::table_of(&[
        ("looked", "text", "$2"),
        ("was_good", "bigint", "$3"),
        ("was_bad", "bigint", "$4"),
        ("was_unknown", "bigint", "$5"),
    ]);
    // A stack that is purged by now has no row.
    let add = Statement::composed(format!(
        "INSERT INTO health_looks (stack, day, good, bad, unknown)
         SELECT stacks.stack, $1, was_good, was_bad, was_unknown
         FROM {given} JOIN stacks ON stacks.stack = looked WHERE TRUE
         ON CONFLICT (stack, day) DO UPDATE
         SET good = health_looks.good + excluded.good, bad = health_looks.bad + excluded.bad,
             unknown = health_looks.unknown + excluded.unknown"
    ));
    let day = day_of(at);
    add.bind(day).bind(stacks).bind(good).bind(bad).bind(unknown).execute(tx).await?;
    let old = Statement::new("DELETE FROM health_looks WHERE day < $1");
    old.bind(day - DAYS).execute(tx).await.map(drop)
}

/// Returns the query of the looks at a stack since `day`.
pub(super) fn since(stack: StackId, day: i64) -> Statement {
    let list = Statement::new(
        "SELECT day, good, bad, unknown FROM health_looks
         WHERE stack = $1 AND day >= $2 ORDER BY day",
    );
    list.bind(stack).bind(day)
}

/// Reads the looks of a day.
pub(super) fn read(row: &impl Columns) -> Result<DayLooks> {
    let count = |column| Ok(u32::try_from(row.number(column)?).unwrap_or(u32::MAX));
    let counts =
        LookCounts { good: count("good")?, bad: count("bad")?, unknown: count("unknown")? };
    Ok(DayLooks { day: row.number("day")?, counts })
}
