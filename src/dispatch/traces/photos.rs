//! The span of a try to bring a photo up: an upload, or a fetch that brought no picture to upload.
//!
//! Not here: all other steps (`steps`). A link is told to nobody: its query may be a signature.

use std::sync::Arc;
use std::time::Duration;

use super::steps::{Api, answered, child};
use super::{Tracer, draw, ended, text};
use crate::core::delivery::ReceiptId;
use crate::core::photo::{Photo, PhotoReply};
use crate::core::span::{Attribute, Kind, Span};
use crate::core::trace_context::{SpanId, TraceContext};

const TEMPLATE: &str = "/v1/ext/photo/{photoId}";

impl Tracer {
    /// A photo is to be brought up: what its upload says of the trace.
    pub(in crate::dispatch) fn uploads(
        &mut self,
        event: ReceiptId,
        photo: &Photo,
        now_ns: u64,
    ) -> Option<Arc<TraceContext>> {
        let live = self.live.get_mut(&event)?;
        let span = upload(&live.root, draw(), &self.api, photo, now_ns);
        let context = Arc::new(span.context.clone());
        live.request = Some(span);
        Some(context)
    }

    /// That took so long and ended.
    pub(in crate::dispatch) fn brought(&mut self, event: ReceiptId, reply: &PhotoReply, took: Duration, now_ns: u64) {
        let Some(span) = self.live.get_mut(&event).and_then(|live| live.request.take()) else { return };
        // It may have waited for the ledger before.
        let began_ns = now_ns.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        self.put(ended(come_to(Span { began_ns, ..span }, reply), now_ns));
    }
}

fn upload(of: &Span, span: SpanId, api: &Api, photo: &Photo, began_ns: u64) -> Span {
    let mut attributes = vec![
        text("http.request.method", "POST"),
        text("url.full", &format!("{}/v1/ext/photo/{}", api.base, photo.id)),
        text("url.template", TEMPLATE),
        text("server.address", &api.host),
        text("chakra_bridge.request", "upload"),
        text("chakra_bridge.photo", &photo.name),
    ];
    attributes.extend(photo.source.host().map(|host| text("chakra_bridge.photo.host", host)));
    attributes.extend(api.port.map(|port| ("server.port", Attribute::Number(port.into()))));
    child(of, span, format!("POST {TEMPLATE}"), Kind::Client, began_ns, attributes)
}

/// With what came of it. Where there was no picture, nothing was uploaded.
fn come_to(mut span: Span, reply: &PhotoReply) -> Span {
    match reply {
        PhotoReply::Asked { reply, bytes } => {
            let size = usize::try_from(*bytes).unwrap_or(usize::MAX);
            span.attributes.push(("chakra_bridge.photo.size", Attribute::count(size)));
            answered(span, Some(reply))
        }
        PhotoReply::Missed(missed) => {
            span.attributes.retain(|(name, _)| name.starts_with("chakra_bridge.photo"));
            span.attributes.push(text("chakra_bridge.request", "fetch"));
            span.attributes
                .extend(missed.status().map(|status| ("http.response.status_code", Attribute::Number(status.into()))));
            Span { name: "fetch photo".to_owned(), error: Some(missed.as_str().to_owned()), ..span }
        }
    }
}
