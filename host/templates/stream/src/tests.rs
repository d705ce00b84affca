use super::APP;
use rhost_sdk::testing;

#[test]
fn the_page_listens() {
    let page = testing::get(&APP, "/").send();
    assert!(page.text().contains("new EventSource(\"ticks\")"));
}

#[test]
fn a_client_goes_on_where_it_left_off() {
    // One tick is left: the test is over before a second one would be due.
    let ticks = testing::get(&APP, "/ticks");
    let answer = ticks.clone().header("last-event-id", "59").send();
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.blocks(), [b"id: 60\ndata: tick 60 of 60\n\n"]);
    let answer = ticks.clone().header("last-event-id", "60").send();
    assert_eq!(answer.status(), 204);
    let answer = ticks.header("last-event-id", "x").send();
    assert_eq!(answer.status(), 400);
}

#[test]
fn a_client_that_leaves_ends_the_ticks() {
    let answer = testing::get(&APP, "/ticks").hangs_up_after(0).send();
    assert!(answer.blocks().is_empty() && answer.failure().is_some());
}

#[test]
fn the_table_is_sent_in_blocks() {
    let answer = testing::get(&APP, "/squares.csv").send();
    assert!(answer.blocks().len() > 10);
    let table = answer.text();
    assert!(table.starts_with("number,square\n1,1\n2,4\n"));
    assert!(table.ends_with("\n100000,10000000000\n"));
}
