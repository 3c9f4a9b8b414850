//! Adds up what stacks use, in steps of several lengths.

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqlStore;
use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::{self, Columns};
use super::statement::Statement;
use crate::server::store::{Measured, Measurements, Result, Sample, SeriesStep, StoreError};
use domain::stack_id::StackId;
use domain::time::earlier;

#[async_trait]
impl<D: Dialect> Measurements for SqlStore<D> {
    async fn record_measured(&self, at: Timestamp, samples: &[(StackId, Sample)]) -> Result<()> {
        let (store, samples) = (self.clone(), samples.to_vec());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            for step in SeriesStep::ALL {
                add(&mut tx, step, at, &samples).await?;
                let old = Statement::new("DELETE FROM measured WHERE step = $1 AND at < $2");
                let before = step.begin_of(earlier(at, step.kept_for()));
                old.bind(step.seconds()).bind(before).execute(&mut tx).await?;
            }
            tx.commit().await
        })
        .await
    }

    async fn measured(
        &self,
        stack: StackId,
        step: SeriesStep,
        since: Timestamp,
    ) -> Result<Vec<Measured>> {
        let list = Statement::new(
            "SELECT at, samples, cpu, memory, received, sent FROM measured
             WHERE stack = $1 AND step = $2 AND at >= $3 ORDER BY at",
        );
        let list = list.bind(stack).bind(step.seconds()).bind(since.as_second());
        self.rows(list).await?.iter().map(read).collect()
    }
}

async fn add<D: Dialect>(
    tx: &mut Transaction<D>,
    step: SeriesStep,
    at: Timestamp,
    samples: &[(StackId, Sample)],
) -> Result<()> {
    let texts = samples.iter().map(|(stack, _)| stack.to_string()).collect::<Vec<_>>();
    let column = |of: fn(&Sample) -> u64| -> Vec<i64> {
        samples.iter().map(|(_, one)| i64::try_from(of(one)).unwrap_or(i64::MAX)).collect()
    };
    let given = D::table_of(&[
        ("whose", "text", "$3"),
        ("new_cpu", "bigint", "$4"),
        ("new_memory", "bigint", "$5"),
        ("new_received", "bigint", "$6"),
        ("new_sent", "bigint", "$7"),
    ]);
    // A stack that is purged by now has no row.
    let add = Statement::composed(format!(
        "INSERT INTO measured (stack, step, at, samples, cpu, memory, received, sent)
         SELECT stacks.stack, $1, $2, 1, new_cpu, new_memory, new_received, new_sent
         FROM {given} JOIN stacks ON stacks.stack = whose WHERE TRUE
         ON CONFLICT (stack, step, at) DO UPDATE
         SET samples = measured.samples + 1, cpu = measured.cpu + excluded.cpu,
             memory = measured.memory + excluded.memory, received = excluded.received,
             sent = excluded.sent"
    ));
    add.bind(step.seconds())
        .bind(step.begin_of(at))
        .bind(texts)
        .bind(column(|one| one.cpu))
        .bind(column(|one| one.memory))
        .bind(column(|one| one.received))
        .bind(column(|one| one.sent))
        .execute(tx)
        .await
        .map(drop)
}

fn read(row: &impl Columns) -> Result<Measured> {
    let number = |column| Ok::<_, StoreError>(row.number(column)?.cast_unsigned());
    let samples = number("samples")?.max(1);
    let mean = Sample {
        cpu: number("cpu")? / samples,
        memory: number("memory")? / samples,
        received: number("received")?,
        sent: number("sent")?,
    };
    Ok(Measured { at: rows::time(row.number("at")?.saturating_mul(1_000))?, mean })
}
