//! What stacks use.

use ai_stack_deployer::server::store::{Measured, Measurements, Result, Sample, SeriesStep};
use async_trait::async_trait;
use domain::stack_id::StackId;
use domain::time::earlier;
use jiff::Timestamp;

use super::MemoryStore;

/// The sum of the samples of a step, and their number.
pub(super) type Sums = (Sample, u64);

#[async_trait]
impl Measurements for MemoryStore {
    async fn record_measured(&self, at: Timestamp, samples: &[(StackId, Sample)]) -> Result<()> {
        let mut tables = self.up()?;
        for step in SeriesStep::ALL {
            for (stack, sample) in samples {
                let key = (*stack, step, step.begin_of(at));
                let (sum, count) = tables.measured.entry(key).or_default();
                sum.cpu += sample.cpu;
                sum.memory += sample.memory;
                (sum.received, sum.sent) = (sample.received, sample.sent);
                *count += 1;
            }
            let before = step.begin_of(earlier(at, step.kept_for()));
            tables.measured.retain(|(_, of, begin), _| *of != step || *begin >= before);
        }
        Ok(())
    }

    async fn measured(
        &self,
        stack: StackId,
        step: SeriesStep,
        since: Timestamp,
    ) -> Result<Vec<Measured>> {
        let tables = self.up()?;
        let of = tables.measured.range((stack, step, since.as_second())..=(stack, step, i64::MAX));
        let mean = |((.., begin), (sum, count)): (&(StackId, SeriesStep, i64), &Sums)| {
            let mean = Sample { cpu: sum.cpu / count, memory: sum.memory / count, ..*sum };
            Measured { at: Timestamp::from_second(*begin).unwrap(), mean }
        };
        Ok(of.map(mean).collect())
    }
}
