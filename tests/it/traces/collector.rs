//! An OpenTelemetry collector on loopback that decodes what it gets.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// The time limit for the next request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request of a portal.
struct Sent {
    head: String,
    body: Vec<u8>,
}

/// The collector, with what it got.
pub(crate) struct Collector {
    address: String,
    sent: Receiver<Sent>,
    pub(crate) spans: Vec<Span>,
    /// Every byte of the bodies.
    pub(crate) bytes: Vec<u8>,
    pub(crate) heads: Vec<String>,
    /// What each request says of the portal itself.
    pub(crate) resources: Vec<BTreeMap<String, String>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, sent) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                thread::spawn(move || serve(&stream, &sender));
            }
        });
        let (spans, bytes, heads, resources) = Default::default();
        Self { address, sent, spans, bytes, heads, resources }
    }

    /// Returns its address, as a portal gets it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits until it has a span that `is_wanted`.
    pub(crate) fn wait_for(&mut self, is_wanted: impl Fn(&Span) -> bool) {
        while !self.spans.iter().any(&is_wanted) {
            self.receive();
        }
    }

    /// Waits for the next request.
    pub(crate) fn receive(&mut self) {
        let Sent { head, body } = self.sent.recv_timeout(TIMEOUT).unwrap();
        let request = ExportTraceServiceRequest::decode(&*body).unwrap();
        for resource in request.resource_spans {
            self.resources.push(texts(&resource.resource.unwrap().attributes));
            self.spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        self.heads.push(head);
        self.bytes.extend(body);
    }
}

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, sender: &Sender<Sent>) {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match reader.read_line(&mut head) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let head = head.to_ascii_lowercase();
        let (_, length) = head.split_once("content-length: ").unwrap();
        let mut body = vec![0; length.split_once("\r\n").unwrap().0.parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        if sender.send(Sent { head, body }).is_err() {
            return;
        }
        writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }
}

/// Returns the attributes as texts.
pub(crate) fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    };
    let pair = |attribute| (KeyValue::clone(attribute).key, text(attribute).unwrap());
    attributes.iter().map(pair).collect()
}
