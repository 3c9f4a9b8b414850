//! Every code reads back.

use super::*;

#[test]
fn a_code_reads_back_as_it_was_written_and_is_an_error() {
    for code in RefusalCode::all() {
        assert_eq!(code.as_str().parse(), Ok(code));
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        assert_eq!(serde_json::from_value::<RefusalCode>(code.as_str().into()).unwrap(), code);
        assert!((400..600).contains(&code.status()), "{code:?}");
    }
    let unknown: RefusalCode = serde_json::from_str("\"SOMETHING_NEW\"").unwrap();
    assert_eq!(unknown, RefusalCode::Internal);
}
