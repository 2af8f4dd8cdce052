//! Laws of lists: tables with `each`, and the filters over lists of objects.
//!
//! Not here: filters on single values (`filters`).

use serde_json::{Value, json};

use super::{compile, given, mistakes, refused, rules, sent, value};
use crate::core::bounds::Bounds;
use crate::core::mapping::rules::map;

fn order() -> Value {
    json!({
        "currency": "EUR",
        "line_items": [
            { "sku": "F-1", "title": "Fan", "quantity": 2, "price": "0.10", "tags": [{ "name": "a" }, { "name": "b" }] },
            { "sku": null, "title": "Lamp", "quantity": 0, "price": "0.20", "tags": [] },
            { "title": "Shade", "quantity": 1, "price": "19.99", "tags": [{ "name": "c" }] },
        ],
        "fields": [{ "id": 360_000, "value": "x" }, { "id": 360_001, "value": { "tier": "gold" } }, {}],
        "meta": { "b": 1, "a": "z" },
    })
}

/// A rule whose `data.x` is a table of these lines.
fn each(lines: &str) -> String {
    format!("[[rule]]\nname = 'r'\nprocedure = 'lead'\n[rule.data.x]\n{lines}\n")
}

fn made(lines: &str) -> Value {
    sent(&each(lines), order())["data"]["x"].clone()
}

fn why_not(lines: &str, document: Value) -> String {
    map(&super::event(document), &rules(&each(lines)), Bounds::DEFAULT).unwrap_err().fault.text
}

#[test]
fn each_item_of_a_list_becomes_an_object() {
    let lines = "each = 'event.line_items'\nwhere = 'item.quantity > 0'\nsku = '{{ item.sku | default(omit) }}'\n\
                 at = '{{ index }}'\nunit = '{{ event.currency }}'\nfixed = 1";
    let expected = json!([
        { "sku": "F-1", "at": 0, "unit": "EUR", "fixed": 1 },
        { "at": 2, "unit": "EUR", "fixed": 1 },
    ]);
    assert_eq!(made(lines), expected);
    assert_eq!(made("each = 'event.line_items'\nwhere = 'item.quantity > 9'\nt = '{{ item.title }}'"), json!([]));
}

#[test]
fn each_item_may_become_any_value_and_the_list_another_one() {
    let give =
        "each = 'event.line_items'\nwhere = 'item.quantity > 0'\ngive = '{{ item.quantity }} × {{ item.title }}'";
    assert_eq!(made(give), json!(["2 × Fan", "1 × Shade"]));
    assert_eq!(made(&format!("{give}\nthen = \"list | join(', ')\"")), json!("2 × Fan, 1 × Shade"));
    let sum = "each = 'event.line_items'\ngive = '{{ (item.price | to_minor) * item.quantity }}'\nthen = 'list | sum | from_minor'";
    assert_eq!(made(sum), json!(20.19));
    assert_eq!(made("each = 'event.line_items'\ngive = \"{{ item.sku | default(omit) }}\""), json!(["F-1"]));
}

#[test]
fn a_list_of_an_item_is_read_within_the_list_around_it() {
    let lines = "each = 'event.line_items'\nsku = '{{ item.title }}'\n[rule.data.x.tags]\neach = 'item.tags'\n\
                 give = '{{ outer.title }}/{{ item.name }}'";
    let expected = json!([
        { "sku": "Fan", "tags": ["Fan/a", "Fan/b"] }, { "sku": "Lamp", "tags": [] }, { "sku": "Shade", "tags": ["Shade/c"] }
    ]);
    assert_eq!(made(lines), expected);
}

#[test]
fn a_list_that_is_missing_is_a_dead_letter_unless_the_rule_leaves_it_out() {
    assert!(why_not("each = 'event.a'\nb = '{{ item.b }}'", json!({})).contains("data.x.each: event.a is missing"));
    assert!(why_not("each = 'event.a'\nb = '{{ item.b }}'", json!({ "a": null })).contains("event.a is null"));
    assert!(why_not("each = 'event.a'\nb = '{{ item.b }}'", json!({ "a": {} })).contains("is an object, not a list"));
    let left = sent(&each("each = 'event.a | default(omit)'\nb = '{{ item.b }}'"), json!({}));
    assert_eq!(left["data"], json!({}));
    assert_eq!(sent(&each("each = 'event.a | default([])'\nb = '{{ item.b }}'"), json!({}))["data"]["x"], json!([]));
}

#[test]
fn what_fails_for_an_item_names_its_path_and_its_index() {
    for (lines, words) in [
        ("each = 'event.line_items'\nsku = '{{ item.sku }}'", "data.x.sku: event.line_items[1].sku is null"),
        (
            "each = 'event.line_items'\nsku = '{{ item.sku }}'",
            "event.line_items[2].sku is missing (event.line_items[2] is there",
        ),
        ("each = 'event.line_items'\nsku = '{{ item.sku | upper }}'", "`item.sku | upper` of event.line_items[1]: "),
        (
            "each = 'event.line_items'\nwhere = 'item.title'\nsku = '{{ item.sku }}'",
            "data.x.where: `item.title` of event.line_items[0] is text",
        ),
        (
            "each = \"event.line_items | where('quantity', '>', 0)\"\nsku = '{{ item.sku }}'",
            "(event.line_items | where('quantity', '>', 0))[1].sku is missing",
        ),
        (
            "each = 'event.line_items'\n[rule.data.x.t]\neach = 'item.tags'\ngive = '{{ item.nme }}'",
            "event.line_items[0].tags[1].nme is missing",
        ),
    ] {
        let said = why_not(lines, order());
        assert!(said.contains(words), "{lines}: {said}");
    }
    for (text, words) in [
        ("{{ event.line_items | map('sku') }}", "`map`: [1].sku is null"),
        ("{{ event.line_items | map('tags') | map('name') }}", "item [0] is a list"),
        ("{{ event.line_items | map('title') | sum }}", "item [0] is text, and none"),
        ("{{ event.line_items | where('sku', '>', 'A') }}", "`where`: [1].sku is null"),
        ("{{ event.line_items | sort('sku') }}", "`sort`: [1].sku is null"),
        ("{{ event.line_items | pick('title', 'sku') }}", "item [1]: there is no member 'sku'"),
        ("{{ [event.currency, [1]] | join }}", "item [1] is a list"),
    ] {
        let said = refused(text, order());
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[test]
fn filters_over_lists_do_what_jinja_jq_and_jsonata_people_expect() {
    for (text, expected) in [
        ("{{ event.line_items | first.title }}", json!("Fan")),
        ("{{ event.line_items | last.tags | first.name | upper }}", json!("C")),
        ("{{ event.none | default(omit) | first.title | default('x') }}", Value::Null),
        ("{{ event.line_items | where('quantity', '>=', 1) | map('title') }}", json!(["Fan", "Shade"])),
        ("{{ event.line_items | where('quantity', 0) | map('title') }}", json!(["Lamp"])),
        ("{{ event.line_items | where('sku', '!=', 'F-1') | length }}", json!(2)),
        ("{{ (event.fields | find('id', 360001)).value.tier }}", json!("gold")),
        ("{{ event.fields | find('value.tier', 'gold') | json | length }}", json!(37)),
        ("{{ event.fields | find('id', 7) | default('none') }}", json!("none")),
        ("{{ event.fields | map('value.tier', omit) }}", json!(["gold"])),
        ("{{ event.line_items | map('tags') | flatten | map('name') | join }}", json!("abc")),
        ("{{ event.line_items | map('price') | sum }}", json!(20.29)),
        ("{{ [0.1, 0.2] | sum }}", json!(0.3)),
        ("{{ [] | sum }}", json!(0)),
        ("{{ event.line_items | sort('quantity') | map('title') }}", json!(["Lamp", "Shade", "Fan"])),
        ("{{ [3, 1, 2] | sort | reverse }}", json!([3, 2, 1])),
        ("{{ ['b', 'a', 'b', 1, 1] | unique }}", json!(["b", "a", 1])),
        ("{{ event.line_items | pick('title', 'quantity') | last }}", json!({ "title": "Shade", "quantity": 1 })),
        ("{{ event.meta | entries }}", json!([{ "key": "b", "value": 1 }, { "key": "a", "value": "z" }])),
        ("{{ ['a', event.no, ' ', event.currency] | compact | join(' ') }}", json!("a EUR")),
    ] {
        let is_left_out = expected.is_null();
        let made = value(text, order()).unwrap();
        assert_eq!(made, (!is_left_out).then_some(expected), "{text}");
    }
}

#[test]
fn a_number_that_64_bits_cannot_hold_hinders_no_item_that_does_not_read_it() {
    let document: Value = crate::core::json::parse(r#"{"l":[{"a":1,"n":123456789012345678901}]}"#, 100).unwrap();
    let lines = "each = \"event.l | where('a', 1)\"\na = '{{ item.a }}'\nn = '{{ item.n | string }}'";
    assert_eq!(sent(&each(lines), document.clone())["data"]["x"], json!([{ "a": 1, "n": "123456789012345678901" }]));
    let said = why_not("each = 'event.l'\nn = '{{ item.n }}'", document);
    assert!(said.contains("event.l[0].n is a number that 64 bits cannot hold"), "{said}");
}

#[test]
fn a_mistake_in_a_table_with_each_points_at_its_place() {
    for (lines, pointed, words) in [
        ("each = 5\na = '{{ item.a }}'", "5", "an expression"),
        ("each = '{{ event.l }}'\na = '{{ item.a }}'", "'{{ event.l }}'", "no braces"),
        ("each = 'event.l'", "[rule.data.x]", "nothing to make of each item"),
        ("each = 'event.l'\ngive = '{{ item.a }}'\na = 1", "[rule.data.x]", "`give` alone"),
        ("each = 'event.l'\na = '{{ event.a }}'", "[rule.data.x]", "reads nothing of it"),
        ("each = 'event.l'\na = 'item.a'", "'item.a'", "`{{ item.a }}`"),
        ("each = 'event.l'\na = '{{ a }}'", "a", "`item.a`"),
        ("each = 'event.l'\na = '{{ outer.a }}{{ item.b }}'", "outer.a", "stands in another one"),
        ("each = 'item.l'\na = '{{ item.a }}'", "item.l", "known only"),
        ("each = 'event.l'\nwhere = 'list == 1'\na = '{{ item.a }}'", "list", "in the `then`"),
        ("each = 'event.l'\na = '{{ item.a }}'\nthen = 'sum'", "'sum'", "`list | sum`"),
        ("each = 'event.l'\na = '{{ item.a }}'\nthen = 'list.a'", "list.a", "`list | map('a')`"),
        ("each = 'event.l'\na = '{{ item.a + index.b }}'", "index.b", "is a number"),
        ("a = '{{ item.a }}'", "item.a", "a table with `each`"),
        ("a = \"{{ event.l | where('a', '=', 1) }}\"", "1", "no sign to compare by"),
        ("a = \"{{ event.l | where('a') }}\"", "where('a')", "2 to 3"),
        ("a = \"{{ event.l | find('a', 1).b }}\"", ".", "`(event.l | find('a', 1)).b`"),
        ("a = \"{{ event.l | map.b('a') }}\"", "map.b('a')", "parentheses"),
        ("a = \"{{ event.l | selectattr('a') }}\"", "selectattr('a')", "`where`?"),
        ("a = \"{{ event.l | plus('2 moons') }}\"", "'2 moons'", "90m"),
    ] {
        let file = each(lines);
        let found = mistakes(&file);
        assert_eq!(found.len(), 1, "{lines}: {found:?}");
        let told = format!("{}; {}", found[0].what, found[0].expected);
        assert!(told.contains(words), "{lines}: {told}");
        assert_eq!(&file[found[0].span.clone().unwrap()], pointed, "{lines}: {told}");
    }
    let nested =
        "each = 'event.l'\na.each = 'item.l'\na.a.each = 'item.l'\na.a.a.each = 'item.l'\na.a.a.give = '{{ item }}'";
    assert!(mistakes(&each(nested))[0].what.contains("too deeply"));
}

#[test]
fn items_multiplied_by_items_are_work_that_is_stopped() {
    let many = json!({ "l": vec![json!({ "a": 1 }); 5000] });
    assert!(compile(&each("each = 'event.l'\na = '{{ item.a + 1 }}'")).is_ok());
    let squared = "each = 'event.l'\nwhere = 'false'\na = '{{ item.a }}'\n[rule.data.x.b]\neach = 'event.l'\nwhere = 'item.a > 5'\n\
                   c = '{{ item.a }}'";
    let said = why_not(&squared.replace("where = 'false'", "where = 'true'"), many.clone());
    assert!(said.contains("more work than one request may"), "{said}");
    let copied = why_not("each = 'event.l'\nwhere = \"(event.l | length) < index\"\na = '{{ item.a }}'", many.clone());
    assert!(copied.contains("more work"), "{copied}");
    let failing = why_not("each = 'event.l'\na = '{{ item.a | upper }}'", many);
    assert!(failing.len() < 3000 && failing.contains("event.l[9]"), "{failing}");
}

#[test]
fn five_thousand_items_of_ten_fields_are_mapped() {
    let fields: String = (0..10).map(|at| format!("f{at} = '{{{{ item.a + {at} }}}}'\n")).collect();
    let many = json!({ "l": vec![json!({ "a": 1 }); 2000] });
    assert_eq!(sent(&each(&format!("each = 'event.l'\n{fields}")), many)["data"]["x"][1999]["f9"], json!(10));
    assert_eq!(given("{{ event.l | length }}", json!({ "l": [1] })), json!(1));
}

#[test]
fn amounts_are_calculated_in_tenths_and_not_in_halves() {
    for (text, expected) in [
        ("{{ 1999 | from_minor }}", json!(19.99)),
        ("{{ '1999' | from_minor(2) }}", json!(19.99)),
        ("{{ 500 | from_minor(0) }}", json!(500)),
        ("{{ -5 | from_minor(3) }}", json!(-0.005)),
        ("{{ 1000 | from_minor }}", json!(10)),
        ("{{ '19.99' | to_minor }}", json!(1999)),
        ("{{ 1.15 | to_minor }}", json!(115)),
        ("{{ 4.35 | to_minor(3) }}", json!(4350)),
        ("{{ 19.9 | fixed }}", json!("19.90")),
        ("{{ '2.345' | fixed(2) }}", json!("2.35")),
        ("{{ -2.345 | fixed(2) }}", json!("-2.35")),
        ("{{ 7 | fixed(0) }}", json!("7")),
        ("{{ 'ada KING-lovelace o’neill' | title }}", json!("Ada King-Lovelace O’neill")),
        ("{{ 'two words' | capitalize }}", json!("Two words")),
        ("{{ 'ada king-lovelace' | initials }}", json!("AKL")),
        ("{{ 1769851800000000 | from_epoch_us }}", json!(1_769_851_800_000_i64)),
        ("{{ '1769851800123000000' | from_epoch_ns }}", json!(1_769_851_800_123_i64)),
        ("{{ '2026-01-31T09:30:00Z' | epoch_ms | plus('2h') }}", json!(1_769_859_000_000_i64)),
        ("{{ '2026-01-31T09:30:00Z' | epoch_ms | minus('1d 30m') }}", json!(1_769_763_600_000_i64)),
        ("{{ 1769851800000 | plus(event.d) }}", json!(1_769_851_860_000_i64)),
    ] {
        assert_eq!(given(text, json!({ "d": "1m" })), expected, "{text}");
    }
    for (text, words) in [
        ("{{ '19.999' | to_minor }}", "at most 2 decimal places, this has 3"),
        ("{{ 19.5 | from_minor }}", "has a fraction"),
        ("{{ 'x' | to_minor }}", "takes a number"),
        ("{{ true | fixed }}", "true or false"),
        ("{{ 1769851800000 | from_epoch_us }}", "15 or 16 digits"),
        ("{{ event.d | plus('2h') }}", "epoch milliseconds"),
        ("{{ 1769851800000 | plus('1mo' if event.d else '') }}", "true or false"),
        ("{{ 1769851800000 | plus(event.m) }}", "a duration such as"),
    ] {
        let said = refused(text, json!({ "d": "1m", "m": "1mo" }));
        assert!(said.contains(words), "{text}: {said}");
    }
}
