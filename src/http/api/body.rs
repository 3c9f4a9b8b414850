//! The body of a deploy request, which is JSON regardless of its content type.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::server::stacks::{SentAnswers, StartRequest};
use crate::wire::ApiError;
use domain::refusal::Refusal;
use domain::template::answers::{Answers, PARAMETERS, SECRETS, SIZE};

#[derive(Deserialize)]
struct DeployRequest {
    name: String,
    template: Option<Value>,
    data: Option<Value>,
    /// All others. Those that are not for answers are ignored, as the older server did.
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Returns what the JSON object in `body` asks for.
pub(in crate::http) fn request(body: &[u8]) -> Result<StartRequest, ApiError> {
    let no_name = || Refusal::InvalidName(None).into();
    match serde_json::from_slice::<DeployRequest>(body) {
        // serde would accept an array as the fields in their order.
        Ok(_) if body.trim_ascii_start().first() != Some(&b'{') => Err(no_name()),
        Ok(DeployRequest { name, template, data, mut others }) => {
            let template = match template {
                None | Some(Value::Null) => None,
                Some(Value::String(id)) => Some(id),
                Some(_) => return Err(Refusal::NoSuchTemplate.into()),
            };
            let data = match data {
                None | Some(Value::Null) => None,
                Some(Value::String(id)) => Some(id),
                Some(_) => return Err(Refusal::NoSuchData.into()),
            };
            others.retain(|name, _| [PARAMETERS, SECRETS, SIZE].contains(&name.as_str()));
            let answers = Answers::from_json(&Value::Object(others));
            let answers = SentAnswers::Read(answers.map_err(Refusal::InvalidParameters)?);
            Ok(StartRequest { name, template, answers, data })
        }
        Err(error) if error.is_data() => Err(no_name()),
        Err(_) => Err(Refusal::InvalidJson.into()),
    }
}

#[cfg(test)]
mod tests {
    use domain::refusal::RefusalCode;
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;

    use super::*;

    /// Valid bodies with one byte changed.
    fn almost() -> impl Strategy<Value = Vec<u8>> {
        (any::<String>(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
            let mut body = json!({ "name": text, "other": [1.5, null] }).to_string().into_bytes();
            let at = at.index(body.len());
            body[at] = byte;
            body
        })
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_is_sent_a_name_comes_out_or_a_reason(
            body in prop_oneof![
                vec(any::<u8>(), 0..80),
                "[\\[\\]{}:,\"\\\\ a-u0-9.eE+-]{0,40}".prop_map(String::into_bytes),
                almost(),
            ]
        ) {
            match request(&body).map(|request| request.name) {
                Ok(name) => {
                    // An independent parser reads the same name.
                    let read = serde_json::from_slice::<Value>(&body);
                    prop_assert!(read.map_or(true, |read| read["name"] == name));
                }
                Err(error) => {
                    prop_assert_eq!(error.status(), 400);
                    prop_assert!(matches!(error.code, RefusalCode::InvalidJson | RefusalCode::InvalidName));
                }
            }
        }

        #[test]
        fn a_name_arrives_as_it_was_sent(text: String, before in "[ \t\r\n]{0,3}") {
            let body = format!("{before}{}", json!({ "other": [], "name": text }));
            prop_assert_eq!(request(body.as_bytes()).unwrap().name, text);
        }
    }
}
