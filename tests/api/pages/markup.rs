//! Rendering of message text: the work is linear in the text's length, in the script and on the server.

use serde_json::Value;

use crate::support::{Pages, TestServer, foreign};

#[tokio::test]
async fn the_script_renders_text_in_linear_time() {
    let Some(mut node) = foreign::node("globalThis.structuredClone") else {
        return;
    };
    // Maximum number of steps per character of a text, and a fixed allowance per message for looking up names.
    const STEPS: u64 = 100;
    const STEPS_OF_NAMES: u64 = 20_000;
    let output = node.arg("tests/clients/markup.mjs").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = output.stdout.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    let told: Vec<Value> = lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let measured = told.iter().filter(|line| line["steps"].is_u64());
    assert!(measured.count() > 100, "{told:?}");
    for line in told {
        assert!(line["wrong"].is_null(), "{line}");
        let number = |key: &str| line[key].as_u64().unwrap();
        let most = STEPS * number("length") + STEPS_OF_NAMES;
        assert!(number("steps") <= most, "{line}");
    }
}

#[tokio::test]
async fn a_page_of_worst_case_messages_does_not_block_other_requests() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    server.user("bob").await;
    let runs: String = (1..60).map(|length| "`".repeat(length) + " ").collect();
    let text = format!("{}{runs}", "*a ".repeat(700));
    for _ in 0..40 {
        ann.say(1, &text).await;
    }
    let uuid = ann.overview(1).await.unwrap()["uuid"].clone();
    let chat = format!("/chat/{}?newest", uuid.as_str().unwrap());
    let bob = Pages::log_in(&server, "bob").await;
    let others = async {
        for _ in 0..20 {
            assert_eq!(server.anybody().get("/healthz").await.status, 200);
        }
    };
    let (page, ()) = tokio::join!(bob.read(&chat), others);
    assert_eq!(page.matches(" `` ").count(), 40, "each message once");
}
