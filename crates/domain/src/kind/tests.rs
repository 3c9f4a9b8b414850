//! The legal transitions of phases, for each kind.

use super::*;

const COMMON: [Phase; 7] = [
    Phase::INITIALIZING,
    Phase::COMPLETED,
    Phase::ROLLING_BACK,
    Phase::FAILED,
    Phase::CANCELLED,
    Phase::REMOVING,
    Phase::REMOVED,
];

/// Returns every phase of `kind`, and that of a step which it does not have.
fn phases(kind: &Kind) -> Vec<Phase> {
    let own = kind.steps.iter().map(|step| step.phase).filter(|phase| phase.is_step());
    own.chain(COMMON).chain([Phase::new("unheard_of")]).collect()
}

#[test]
fn progress_never_goes_backwards_along_a_legal_edge() {
    for kind in Kinds::default().all() {
        for from in phases(kind) {
            for to in phases(kind).into_iter().filter(|to| kind.may_become(from, *to)) {
                if let (Some(before), Some(after)) = (kind.percent(from), kind.percent(to)) {
                    assert!(before <= after, "{from:?} -> {to:?}");
                }
            }
        }
    }
}

#[test]
fn nothing_follows_an_end_and_only_the_last_step_completes() {
    let all = phases(&DEPLOY);
    let may = |from, to| DEPLOY.may_become(from, to);
    for phase in &all {
        assert!(all.iter().all(|next| !phase.is_end() || !may(*phase, *next)));
        assert_eq!(may(*phase, Phase::COMPLETED), *phase == Phase::VERIFYING_HEALTH);
        let undoing = matches!(*phase, Phase::ROLLING_BACK | Phase::REMOVING);
        assert_eq!(may(*phase, Phase::FAILED), undoing);
        assert_eq!(may(*phase, Phase::REMOVED), *phase == Phase::REMOVING);
        let is_begun = *phase == Phase::new("unheard_of");
        assert_eq!(may(*phase, Phase::new("unheard_of")), is_begun, "{phase:?}");
    }
    assert!(may(Phase::INITIALIZING, Phase::DEPLOYING));
    assert!(!may(Phase::DEPLOYING, Phase::CREATING_DOMAIN));
}

#[test]
fn each_kind_is_found_by_its_name_and_another_one_can_do_nothing() {
    let kinds = Kinds::default();
    for name in kinds.names() {
        assert_eq!(kinds.of(name).name, name);
    }
    let unknown = kinds.of(KindName::new("unheard-of"));
    assert!(!unknown.can_cancel && unknown.listed().next().is_none());
}

#[test]
fn a_kind_that_keeps_its_stack_leads_from_one_state_to_another_or_back() {
    let keeping: Vec<_> = Kinds::default().all().filter(|kind| kind.keeps_stack()).collect();
    assert_eq!(
        keeping.iter().map(|kind| kind.noun).collect::<Vec<_>>(),
        ["stop", "start", "restart", "change"]
    );
    for kind in keeping {
        // What fails leaves it as it was.
        let is_kept = kind.keeps_desired() && kind.starts_from.contains(&kind.undone);
        assert!(is_kept || kind.starts_from == [kind.undone], "{}", kind.noun);
        assert!(kind.can_cancel && kind.done != StackState::Gone, "{}", kind.noun);
        let sentences = [kind.done_sentence, kind.undo_sentence];
        for phase in kind.listed() {
            assert!(!sentences.contains(&kind.sentence(phase)), "{}: {phase:?}", kind.noun);
            assert_ne!(kind.sentence(phase), kind.done(phase), "{}: {phase:?}", kind.noun);
        }
    }
}
