//! Kept data of older versions.

use ai_stack_deployer::server::store::{
    DataUser, Disposal, KeptFilter, KeptState, KeptVolume, Store,
};
use domain::deployment::DeploymentId;
use domain::kind::REMOVE;
use domain::stack_name::StackName;

use crate::store::contract::at;

/// Kept data as the versions have it that know it: frank's is kept, carol's is brought back by david,
/// and the removals of erika and gerda will keep theirs.
pub(super) const ROWS: &str = "
    UPDATE operations SET disposal = 'keep' WHERE removes IS NOT NULL;
    INSERT INTO kept_data (stack, volumes, until_ms, kept_ms, used_by) VALUES
        ('stk_%8', '[{\"key\":\"data\",\"name\":\"asd-test-data\"}]', 9000, 3000, NULL),
        ('stk_%3', '[{\"key\":\"data\",\"name\":\"asd-test-data\"}]', 9001, 2000, 'stk_%4'),
        ('stk_%6', '[{\"key\":\"data\",\"name\":\"asd-test-data\"}]', 9002, NULL, NULL),
        ('stk_%a', '[{\"key\":\"data\",\"name\":\"asd-test-data\"}]', 9003, NULL, NULL);
";

/// Checks that the kept data of older versions is listed, each with what happens to it.
pub(super) async fn assert_listed(store: &dyn Store, is_there: bool) {
    let all = store.kept_data(&KeptFilter::All).await.unwrap();
    if !is_there {
        assert_eq!(all, []);
        return;
    }
    let david = DataUser {
        deployment: DeploymentId::from_random(4),
        name: StackName::parse("david").unwrap(),
        is_live: false,
    };
    let states: Vec<_> = all.iter().map(|data| (data.name.as_str(), data.state.clone())).collect();
    let expected = [
        ("frank", KeptState::Kept),
        ("carol", KeptState::InUse(david)),
        ("erika", KeptState::Removing),
        ("gerda", KeptState::Removing),
    ];
    assert_eq!(states, expected);
    let volume = KeptVolume { key: String::from("data"), name: String::from("asd-test-data") };
    assert!(all.iter().all(|data| data.volumes == [volume.clone()] && data.template == "default"));
    let removal = store.find(&REMOVE.operation_id(11)).await.unwrap().unwrap();
    assert_eq!(removal.disposal, Disposal::Keep);
    // What a newer version adds works on it.
    store.mark_lost(all[0].stack, Some(at(10))).await.unwrap();
    let frank = store.kept_data(&KeptFilter::Due(at(10))).await.unwrap();
    assert_eq!(frank[0].state, KeptState::Lost(at(10)));
}
