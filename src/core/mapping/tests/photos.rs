//! Photos that a rule names: the ids in the request, what is left out, and every mistake.

use serde_json::{Value, json};

use super::*;
use crate::core::photo::{OnMissing, Photo, Source};

const SITE: &str = "
[[rule]]
name = 'visit'
procedure = 'fieldVisit'
[rule.data]
id = '{{ event.id }}'
site = '{{ photo.site }}'
[rule.photo.site]
url = '{{ event.url }}'
";

fn photos(file: &str, document: Value) -> (Value, Vec<Photo>) {
    let (request, content) = made(file, &event(document)).unwrap();
    let photos = request.photos.iter().map(|photo| Photo::clone(photo)).collect();
    (content.to_value()["data"].clone(), photos)
}

fn told(file: &str) -> Vec<String> {
    mistakes(file).into_iter().map(|mistake| format!("{}: {}", mistake.key, mistake.what)).collect()
}

#[test]
fn a_photo_attribute_is_the_id_that_its_picture_is_uploaded_under() {
    let (data, photos) = photos(SITE, json!({ "id": "v1", "url": "https://cdn.example/1.jpg?sig=S" }));
    assert_eq!(photos.len(), 1);
    assert_eq!(data["site"], json!(photos[0].id.to_string()));
    assert_eq!(photos[0].source.to_string(), "https://cdn.example/1.jpg", "what signs it is told to nobody");
    assert_eq!((photos[0].filename.as_deref(), photos[0].on_missing), (None, OnMissing::DeadLetter));
}

#[test]
fn a_field_that_is_absent_or_null_is_a_dead_letter_and_left_out_where_the_rule_says_so() {
    let mixed = "url = 'https://cdn.example/{{ event.url }}.jpg'";
    for (source, is_mixed) in [("url = '{{ event.url }}'", false), (mixed, true)] {
        let plain = SITE.replace("url = '{{ event.url }}'", source);
        let optional = format!("{plain}optional = true\n");
        for document in [json!({ "id": "v1" }), json!({ "id": "v1", "url": null })] {
            let fault = create(&plain, &event(document.clone())).unwrap_err();
            assert!(fault.reason == Reason::Unmappable && fault.text.contains("photo.site.url"), "{}", fault.text);
            let (data, photos) = photos(&optional, document);
            assert_eq!((data, photos.len()), (json!({ "id": "v1" }), 0));
        }
        let url = if is_mixed { "1" } else { "https://cdn.example/1.jpg" };
        assert_eq!(photos(&optional, json!({ "id": "v1", "url": url })).1.len(), 1);
    }
}

#[test]
fn a_list_of_photos_is_a_list_of_ids_and_one_of_none_is_left_out() {
    let file = SITE.replace(
        "url = '{{ event.url }}'",
        "each = 'event.pictures'\nurl = '{{ item.url }}'\nfilename = '{{ item.name }}.jpg'\noptional = true",
    );
    let picture = |name: &str| json!({ "url": format!("https://cdn.example/{name}"), "name": name });
    let (data, made) = photos(&file, json!({ "id": "v1", "pictures": [picture("a"), picture("b"), { "name": "c" }] }));
    let ids: Vec<String> = made.iter().map(|photo| photo.id.to_string()).collect();
    assert_eq!((data["site"].clone(), ids.len()), (json!(ids), 2));
    assert_eq!(made[1].filename.as_deref(), Some("b.jpg"));
    for none in [json!({ "id": "v1", "pictures": [] }), json!({ "id": "v1" }), json!({ "id": "v1", "pictures": null })]
    {
        assert_eq!(photos(&file, none).0, json!({ "id": "v1" }));
    }
    let many: Vec<Value> = (0..33).map(|n| picture(&n.to_string())).collect();
    let fault = create(&file, &event(json!({ "id": "v1", "pictures": many }))).unwrap_err();
    assert!(fault.text.contains("32 at most"), "{}", fault.text);
}

#[test]
fn a_picture_in_the_event_is_known_by_its_bytes() {
    let file = SITE.replace("url = '{{ event.url }}'", "base64 = '{{ event.image }}'\non_missing = 'without'");
    let (_, plain) = photos(&file, json!({ "id": "v1", "image": "/9j/4AA=" }));
    let (_, as_url) = photos(&file, json!({ "id": "v1", "image": "data:image/png;base64,/9j/4AA" }));
    assert_eq!(plain, as_url);
    assert_eq!(plain[0].source, Source::Bytes([0xff, 0xd8, 0xff, 0xe0, 0].as_slice().into()));
    assert_eq!(plain[0].on_missing, OnMissing::Without);
    for wrong in ["", "nonsense!", "data:image/png;base64,"] {
        let fault = create(&file, &event(json!({ "id": "v1", "image": wrong }))).unwrap_err();
        assert!(fault.text.contains("photo.site.base64"), "{}", fault.text);
    }
}

#[test]
fn a_name_of_a_file_stays_one() {
    let file = SITE.replace("url = '{{ event.url }}'", "url = '{{ event.url }}'\nfilename = '{{ event.name }}'");
    let named = |name: &str| {
        let made = create(&file, &event(json!({ "id": "v1", "url": "https://a.example/1", "name": name })));
        made.map(|request| request.photos.iter().next().unwrap().filename.clone())
    };
    assert_eq!(named("../a\"b\r\n.jpg").unwrap().as_deref(), Some(".._a_b__.jpg"));
    for wrong in ["..", " ", &"a".repeat(256)] {
        assert!(named(wrong).unwrap_err().text.contains("photo.site.filename"), "{wrong}");
    }
}

#[test]
fn what_is_no_link_is_refused_without_being_told() {
    for wrong in [json!(7), json!(""), json!("https://u:secret@a.example/"), json!("https://a secret")] {
        let fault = create(SITE, &event(json!({ "id": "v1", "url": wrong }))).unwrap_err();
        assert!(fault.text.contains("photo.site.url") && !fault.text.contains("secret"), "{}", fault.text);
    }
}

#[test]
fn every_mistake_of_a_photo_is_found() {
    let with = |from: &str, to: &str| told(&SITE.replace(from, to));
    let url = "url = '{{ event.url }}'";
    for (found, expected) in [
        (with("{{ photo.site }}", "{{ photo.roof }}"), "no photo of that name"),
        (with("{{ photo.site }}", "{{ photo }}"), "no photo of that name"),
        (with("{{ photo.site }}", "{{ photo.site.id }}"), "nothing lies below a photo"),
        (with("{{ photo.site }}", "see {{ photo.site }}"), "the id of a photo stands alone"),
        (with("{{ photo.site }}", "{{ photo.site | upper }}"), "the id of a photo stands alone"),
        (with("{{ event.id }}", "{{ event.id }}'\nroof = '{{ photo.roof }}"), "no photo of that name"),
        (with("site = '{{ photo.site }}'", ""), "no attribute names this photo"),
        (with(url, "filename = 'x'"), "one of `url` and `base64`"),
        (with(url, &format!("{url}\nbase64 = '{{{{ event.x }}}}'")), "one of `url` and `base64`"),
        (with(url, &format!("{url}\nheight = 3")), "is not known"),
        (with(url, &format!("{url}\noptional = 'yes'")), "neither true nor false"),
        (with(url, &format!("{url}\non_missing = 'skip'")), "not known"),
        (with(url, "url = '{{ evnt.url }}'"), "evnt"),
        (with("procedure = ", "when = 'photo.site is defined'\nprocedure = "), "known only in `data` and `record`"),
    ] {
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{expected}: {found:?}");
    }
}
