//! Search: words, filters, permissions, snippets.

use std::collections::HashSet;
use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::support::*;

mod compared;

/// Searches and returns the page.
async fn search(who: &Persona, line: &str, rest: &str) -> Value {
    let line: String = form_urlencoded::byte_serialize(line.as_bytes()).collect();
    let page = who.get(&format!("search?q={line}{rest}")).await.ok(200);
    assert_keys(&page, "items more next");
    for item in page["items"].as_array().unwrap() {
        assert_keys(item, "message snippet");
        assert_keys(&item["message"], MESSAGE);
    }
    page
}

/// Searches and returns the texts, newest first.
async fn found(who: &Persona, line: &str) -> Vec<String> {
    let page = search(who, line, "").await;
    let items = page["items"].as_array().unwrap();
    let text = |item: &Value| item["message"]["content"].as_str().unwrap().to_owned();
    items.iter().map(text).collect()
}

/// Searches and returns the ids of all pages.
async fn all_ids(who: &Persona, line: &str, limit: usize) -> Vec<i64> {
    let (mut ids, mut before) = (Vec::new(), String::new());
    loop {
        let page = search(who, line, &format!("&limit={limit}{before}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        ids.extend(items.iter().map(|item| id(&item["message"])));
        if page["more"] == false {
            assert!(page["next"].is_null());
            return ids;
        }
        before = format!("&before={}", page["next"]);
    }
}

#[tokio::test]
async fn search_ignores_case_and_accents_and_matches_prefixes() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for text in [
        "Zoë kommt später",
        "Sørensen's café",
        "ELEPHANTS, e-mail!",
        "Ёлка стоит",
    ] {
        ann.say(1, text).await;
    }
    for (line, hits) in [
        ("zoe", "Zoë kommt später"),
        ("SPÄTER kommt", "Zoë kommt später"),
        ("spat", "Zoë kommt später"),
        ("sorensen cafe", "Sørensen's café"),
        ("elephant", "ELEPHANTS, e-mail!"),
        ("e-mail", "ELEPHANTS, e-mail!"),
        ("елка", "Ёлка стоит"),
        ("\"kommt spater\"", "Zoë kommt später"),
    ] {
        assert_eq!(found(&ann, line).await, [hits], "{line}");
    }
    for line in [
        "phants",
        "\"elephant\"",
        "\"spater kommt\"",
        "sp",
        "zoe cafe",
        "mail-e",
    ] {
        assert!(found(&ann, line).await.is_empty(), "{line}");
    }
}

#[tokio::test]
async fn parts_of_chinese_japanese_and_korean_are_found() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for text in [
        "我爸爸在北京工作。",
        "いちごを食べたｶﾞｯｺｳ",
        "학교에 갔어요",
        "สวัสดีครับ",
        "买了iPhone手机🎉",
    ] {
        ann.say(1, text).await;
    }
    for (line, hits) in [
        ("爸爸", "我爸爸在北京工作。"),
        ("京", "我爸爸在北京工作。"),
        ("北京工作", "我爸爸在北京工作。"),
        ("いち", "いちごを食べたｶﾞｯｺｳ"),
        ("食べた", "いちごを食べたｶﾞｯｺｳ"),
        ("ガッコウ", "いちごを食べたｶﾞｯｺｳ"),
        ("학교", "학교에 갔어요"),
        ("교에", "학교에 갔어요"),
        ("สวัสดี", "สวัสดีครับ"),
        ("手机 iphone", "买了iPhone手机🎉"),
        ("🎉", "买了iPhone手机🎉"),
    ] {
        assert_eq!(found(&ann, line).await, [hits], "{line}");
    }
    for line in ["爸北", "爸爸爸", "교갔", "ちい", "カッコウ"] {
        assert!(found(&ann, line).await.is_empty(), "{line}");
    }
}

#[tokio::test]
async fn symbols_are_matched_literally() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for text in [
        "plan C then",
        "C++ is old",
        "C# is new",
        "use a_b here",
        "a b apart",
        "tag, you are it",
        "see #tag now",
        "全角＃tag です",
        "mail ann@example.org",
        "don’t stop",
        "AT&T and R&D",
    ] {
        ann.say(1, text).await;
    }
    for (line, hits) in [
        ("C++", vec!["C++ is old"]),
        ("c++ old", vec!["C++ is old"]),
        ("c#", vec!["C# is new"]),
        ("\"C++ is\"", vec!["C++ is old"]),
        ("C", vec!["C# is new", "C++ is old", "plan C then"]),
        ("#tag", vec!["全角＃tag です", "see #tag now"]),
        ("＃tag", vec!["全角＃tag です", "see #tag now"]),
        (
            "tag",
            vec!["全角＃tag です", "see #tag now", "tag, you are it"],
        ),
        ("a_b", vec!["use a_b here"]),
        ("\"a b\"", vec!["a b apart", "use a_b here"]),
        ("ann@example.org", vec!["mail ann@example.org"]),
        ("@example", vec!["mail ann@example.org"]),
        ("don't", vec!["don’t stop"]),
        ("R&D", vec!["AT&T and R&D"]),
        ("(now)!", vec!["see #tag now"]),
        ("a+b", vec![]),
        ("C++++", vec![]),
    ] {
        assert_eq!(found(&ann, line).await, hits, "{line}");
    }
    let page = search(&ann, "c++", "").await;
    let snippet = &page["items"][0]["snippet"];
    assert_eq!(snippet[0], json!({ "text": "C++", "hit": true }), "{page}");
}

#[tokio::test]
async fn filters_narrow_the_results() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob smith").await);
    let kitchen = ann.public_room("The Kitchen").await;
    let direct = ann.direct_room(&bob).await;
    ann.say(1, "soup in the lobby").await;
    bob.say(1, "soup of bob").await;
    ann.say(kitchen, "soup in the kitchen").await;
    bob.say(direct, "soup, secretly").await;
    for (line, hits) in [
        (
            "soup from:ann",
            vec!["soup in the kitchen", "soup in the lobby"],
        ),
        ("soup from:me in:lobby", vec!["soup in the lobby"]),
        ("from:@ANN in:\"the kitchen\"", vec!["soup in the kitchen"]),
        (
            "From:ann SOUP",
            vec!["soup in the kitchen", "soup in the lobby"],
        ),
        ("soup FROM:Me IN:Lobby", vec!["soup in the lobby"]),
        ("soup HAS:File", vec![]),
        ("soup Before:2000-01-01", vec![]),
        (
            "from:\"bob smith\" soup",
            vec!["soup, secretly", "soup of bob"],
        ),
        ("in:@\"bob smith\"", vec![]),
        ("in:\"@bob smith\"", vec!["soup, secretly"]),
        ("in:#1 soup", vec!["soup of bob", "soup in the lobby"]),
        (
            "from:ann from:\"bob smith\" in:#1",
            vec!["soup of bob", "soup in the lobby"],
        ),
        ("from:nobody soup", vec![]),
        ("in:nowhere soup", vec![]),
        ("soup has:file", vec![]),
        ("soup before:2000-01-01", vec![]),
        ("soup after:2999-01-01", vec![]),
        (
            "in:#1 after:2000-01-01 before:2999-01-01T00:00:00Z",
            vec!["soup of bob", "soup in the lobby"],
        ),
    ] {
        assert_eq!(found(&ann, line).await, hits, "{line}");
    }
}

#[tokio::test]
async fn messages_are_found_by_file_name() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    ann.say(1, "the plan").await;
    let form = "--x\r\ncontent-disposition: form-data; name=\"content\"\r\n\r\nas promised\r\n\
        --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"House_Plan-2.txt\"\r\n\r\nwalls\r\n--x--\r\n";
    let kind = Some("multipart/form-data; boundary=x");
    let message = ann.send("POST", "rooms/1/files", kind, form).await.ok(201);
    for line in [
        "house",
        "plan txt",
        "promised has:file",
        "has:file",
        "plan-2",
    ] {
        assert_eq!(found(&ann, line).await, ["as promised"], "{line}");
    }
    let page = search(&ann, "house", "").await;
    assert_eq!(page["items"][0]["snippet"][1]["text"], "House");
    assert_eq!(found(&ann, "plan").await.len(), 2);
    assert!(found(&ann, "walls").await.is_empty());

    let path = format!("messages/{}", id(&message));
    ann.patch(&path, json!({ "content": "as feared" }))
        .await
        .ok(200);
    assert_eq!(found(&ann, "house feared has:file").await, ["as feared"]);
    ann.delete(&path).await.ok(200);
    assert!(found(&ann, "house").await.is_empty());
    assert!(found(&ann, "has:file").await.is_empty());
}

#[tokio::test]
async fn time_filters_are_exact_to_the_millisecond() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let first = ann.say(1, "tick one").await;
    let mut second = ann.say(1, "tick two").await;
    while second["created_at"] == first["created_at"] {
        second = ann.say(1, "tick more").await;
    }
    let at = second["created_at"].as_str().unwrap();
    let before = found(&ann, &format!("tick before:{at}")).await;
    let after = found(&ann, &format!("tick after:{at}")).await;
    assert!(before.contains(&"tick one".to_owned()));
    assert_eq!(after, [second["content"].as_str().unwrap()]);
}

#[tokio::test]
async fn edits_deletions_and_clearing_update_the_index() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.public_room("r").await;
    let message = ann.say(room, "the first word").await;
    let path = format!("messages/{}", id(&message));
    ann.patch(&path, json!({ "content": "the second word" }))
        .await
        .ok(200);
    assert!(found(&ann, "first").await.is_empty());
    assert_eq!(found(&ann, "second").await, ["the second word"]);
    ann.delete(&path).await.ok(200);
    assert!(found(&ann, "second").await.is_empty());
    assert!(found(&ann, "in:r").await.is_empty());

    ann.say(room, "to be cleared").await;
    ann.post(&format!("rooms/{room}/clear"), json!({}))
        .await
        .ok(200);
    assert!(found(&ann, "cleared").await.is_empty());
    ann.say(room, "not cleared").await;
    assert_eq!(found(&ann, "cleared").await, ["not cleared"]);
    ann.delete(&format!("rooms/{room}")).await.done();
    assert!(found(&ann, "cleared").await.is_empty());
}

#[tokio::test]
async fn own_rooms_are_searched_and_readable_others_by_name() {
    let server = TestServer::start().await;
    let admin = server.admin("root").await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let (open, shut) = (
        ann.public_room("open").await,
        ann.private_room("shut").await,
    );
    let direct = ann.direct_room(&bob).await;
    ann.add(open, &bob, "member").await;
    ann.add(shut, &bob, "member").await;
    for room in [open, shut, direct] {
        ann.say(room, &format!("needle {room}")).await;
    }
    assert_eq!(found(&bob, "needle").await.len(), 3);
    for room in [open, shut] {
        bob.post(&format!("rooms/{room}/leave"), json!({}))
            .await
            .done();
    }
    let mine = format!("needle {direct}");
    assert_eq!(found(&bob, "needle").await, [mine.as_str()]);
    assert_eq!(found(&bob, "needle in:open").await.len(), 1);
    assert!(found(&bob, "needle in:shut").await.is_empty());
    assert!(found(&bob, &format!("needle in:#{shut}")).await.is_empty());
    // Admins manage private rooms but cannot read them.
    for line in [
        "needle",
        "needle in:shut",
        "in:@ann",
        &format!("in:#{direct}"),
    ] {
        assert!(found(&admin, line).await.is_empty(), "{line}");
    }
    server
        .anybody()
        .get("search?q=needle")
        .await
        .refused(401, "unauthenticated");
}

/// Input with a meaning in SQL, in FTS5, in the filter syntax, or in Unicode.
#[rustfmt::skip]
const ODD: &[&str] = &[
    "\"", "\"\"", "\"or", "or\"", "*", "x*", "^y", "-z", "NEAR(a b)", "a AND b", "OR", "NOT", "col:x",
    "words:a", "{a}", "'", "';", "--", "+", "(", ")", "a OR", "§r1", "¶say", "\u{fffd}", "%", "in:", "from:",
    "has:", "before:x", "in:#x", "in:#99999999999999999999", "::", "a:\"", "\u{0}", "\u{202e}", "from:\"",
    "before:0000-00-00", "after:-1", "before:+262142-12-31", "after:-262143-01-01", "e\u{301}\u{301}\u{301}",
    "\u{301}", "ﷺ", "İ", "🏽", "in:@",
];

#[tokio::test]
async fn any_text_is_safe_to_search_for() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    ann.say(
        1,
        "say \"or\" NEAR(a b) AND not col:x* ^y -z {a} 'q'; DROP TABLE messages; --",
    )
    .await;
    for line in ODD {
        search(&ann, line, "").await;
    }
    assert_eq!(found(&ann, "\"near a b\" drop").await.len(), 1);
    assert!(found(&ann, "").await.is_empty());
    let long = "x".repeat(301);
    ann.get(&format!("search?q={long}")).await.invalid("q");
    search(&ann, &"x ".repeat(150), "").await;
    search(&ann, &"字".repeat(300), "").await;
    ann.get("search").await.refused(400, "bad_query");
    ann.get("search?q=a&limit=0")
        .await
        .refused(400, "bad_query");
    ann.get("search?q=a&before=x")
        .await
        .refused(400, "bad_query");
}

#[tokio::test]
async fn snippets_highlight_the_hits() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let long = format!(
        "{} the Café, <b>later</b> {}",
        "before ".repeat(50),
        "after ".repeat(50)
    );
    ann.say(1, &long).await;
    let page = search(&ann, "cafe lat", "").await;
    let parts = page["items"][0]["snippet"].as_array().unwrap().clone();
    let hits: Vec<_> = parts
        .iter()
        .filter(|part| part["hit"] == true)
        .map(|part| part["text"].as_str().unwrap())
        .collect();
    assert_eq!(hits, ["Café", "later"]);
    let whole: String = parts
        .iter()
        .map(|part| part["text"].as_str().unwrap())
        .collect();
    assert!(
        whole.starts_with("…before ") && whole.ends_with('…') && whole.len() < 300,
        "{whole}"
    );
    assert!(long.contains(whole.trim_matches('…')));
}
