//! The part of the contract about what stacks use.

use std::time::Duration;

use ai_stack_deployer::server::store::{Measured, Sample, SeriesStep, Store};
use domain::stack_id::StackId;

use super::at;
use super::removals::live;

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    let stack = StackId::of(&live(store, 3_000, "rosa").await);
    let sample = |cpu| Sample { cpu, memory: cpu * 10, received: cpu, sent: cpu + 1 };
    // The begin of an hour.
    let begin = at(3_600 - at(0).as_second().rem_euclid(3_600));
    let after = |seconds: u64| begin + Duration::from_secs(seconds);
    for (second, cpu) in [(0, 10), (14, 30), (15, 100)] {
        store.record_measured(after(second), &[(stack, sample(cpu))]).await.unwrap();
    }
    let series = async |step| store.measured(stack, step, begin).await.unwrap();
    let first =
        Measured { at: begin, mean: Sample { cpu: 20, memory: 200, received: 30, sent: 31 } };
    let second = Measured { at: after(15), mean: sample(100) };
    assert_eq!(series(SeriesStep::Seconds15).await, [first, second]);
    let all = Sample { cpu: 46, memory: 466, received: 100, sent: 101 };
    let whole = [Measured { at: begin, mean: all }];
    assert_eq!(series(SeriesStep::Minutes5).await, whole);
    assert_eq!(series(SeriesStep::Hour).await, whole);
    assert_eq!(store.measured(stack, SeriesStep::Seconds15, after(1)).await.unwrap(), [second]);

    store.record_measured(after(3 * 3_600), &[(stack, sample(1))]).await.unwrap();
    assert_eq!(series(SeriesStep::Seconds15).await.len(), 1, "an hour is kept");
    assert_eq!(series(SeriesStep::Minutes5).await.len(), 2, "seven days are kept");
}
