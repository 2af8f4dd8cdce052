//! Laws of what each kind of attribute of the API takes: that a rule can write it.
//!
//! Not here: the filters one by one.

use serde_json::{Value, json};

use super::{create, event};

const FILE: &str = r#"
[[rule]]
name = "visit"
procedure = "fieldvisit"
[rule.data]
text = "{{ [event.title, event.name] | first_non_empty | trim | truncate(20) }}"
phone = "{{ event.phone | digits }}"
integer = "{{ event.count | int }}"
float = "{{ event.price | float }}"
boolean = "{{ event.urgent | bool }}"
enum = "{{ event.level | upper | one_of('LOW', 'HIGH') }}"
mapped_enum = "{{ event.level | lookup({'low': 'P3', 'high': 'P1'}) }}"
integer_enum = "{{ event.grade | one_of(1, 2, 3) }}"
multi_enum = "{{ event.tags | one_of('red', 'blue') }}"
date = "{{ event.day | epoch_ms('Asia/Kolkata') }}"
datetime = "{{ event.created | from_epoch_s }}"
iso = "{{ event.at }}"
photo = "{{ event.photo.id }}"
photos = "{{ event.photos | map('id') }}"
geolocation = ["{{ event.place.lon | float }}", "{{ event.place.lat | float }}"]
external_id = "{{ event.phone | uuid5('6ba7b810-9dad-11d1-80b4-00c04fd430c8') }}"
external_whole = "{{ event.product | pick('id', 'name') }}"
json_text = "{{ event.place | json }}"
absent = "{{ event.gone | default(omit) | trim }}"
[rule.data.external]
id = "{{ event.product.id }}"
lines = [{ sku = "{{ event.lines[0].sku }}", note = "{{ event.lines[0].note | default(omit) }}" }, "{{ event.gone | default(omit) }}"]
[rule.data.external.maker]
name = "{{ event.product.maker | default(omit) }}"
since = "{{ event.product.since | default(omit) }}"
"#;

fn document() -> Value {
    json!({ "name": " Ada Lovelace ", "title": "", "phone": "+91 770-121", "count": "12", "price": "9.5", "urgent": "true",
        "level": "high", "grade": 2, "tags": ["red", "blue"], "day": "2026-01-31", "created": 1_769_851_800,
        "at": "2026-04-15T11:22:43Z", "photo": { "id": "ph-1" }, "photos": [{ "id": "a" }, { "id": "b" }],
        "place": { "lat": 51.5, "lon": "-0.25" }, "product": { "id": "p1", "name": "Boiler", "cost": 5, "since": 1999 },
        "lines": [{ "sku": "s1" }] })
}

#[test]
fn each_kind_of_attribute_can_be_written() {
    let (_, content) = super::made(FILE, &event(document())).unwrap();
    assert_eq!(
        content.data.unwrap(),
        json!({
            "text": "Ada Lovelace", "phone": "91770121", "integer": 12, "float": 9.5, "boolean": true,
            "enum": "HIGH", "mapped_enum": "P1", "integer_enum": 2, "multi_enum": ["red", "blue"],
            "date": 1_769_797_800_000_i64, "datetime": 1_769_851_800_000_i64, "iso": "2026-04-15T11:22:43Z",
            "photo": "ph-1", "photos": ["a", "b"], "geolocation": [-0.25, 51.5],
            "external_id": "d45f3b91-b875-5c06-bc85-324616f9c7f0",
            "external_whole": { "id": "p1", "name": "Boiler" }, "json_text": "{\"lat\":51.5,\"lon\":\"-0.25\"}",
            "external": { "id": "p1", "lines": [{ "sku": "s1" }], "maker": { "since": 1999 } },
        })
    );
}

#[test]
fn each_kind_refuses_what_is_none_of_it_with_the_field() {
    for (name, value, field) in [
        ("count", json!("twelve"), "data.integer"),
        ("price", json!("9,5"), "data.float"),
        ("urgent", json!("maybe"), "data.boolean"),
        ("level", json!("middle"), "data.enum"),
        ("grade", json!("2"), "data.integer_enum"),
        ("tags", json!(["red", "pink"]), "data.multi_enum"),
        ("day", json!("31.01.2026"), "data.date"),
        ("created", json!(1_769_851_800_000_i64), "data.datetime"),
        ("photos", json!([{ "id": null }]), "data.photos"),
        ("place", json!({ "lat": 51.5 }), "data.geolocation[0]"),
        ("product", json!({ "id": "p1" }), "data.external_whole"),
    ] {
        let mut document = document();
        document[name] = value;
        let fault = create(FILE, &event(document)).unwrap_err();
        assert!(fault.text.starts_with(&format!("rule \"visit\", {field}: ")), "{}", fault.text);
    }
}
