//! Days and times on a page that stays open past midnight.

use crate::driver::Browser;
use crate::support::TestServer;

/// Moves the page's clock forward by `days` and triggers an update.
fn days_later(days: u32) -> String {
    format!(
        "const now = Date.now(); Date.now = () => now + {days} * 86_400_000;
         document.dispatchEvent(new Event('visibilitychange'))"
    )
}

#[tokio::test]
async fn day_names_are_updated_at_midnight() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    let bob = server.user("Bob").await;
    for n in 1..=4 {
        bob.say(1, &format!("number {n}.")).await;
    }
    // The first one two years ago, the second one yesterday.
    server.edit_file(
        "UPDATE messages SET created_at = created_at - 731 * 86400000 WHERE content = 'number 1.';
         UPDATE messages SET created_at = created_at - 86400000 WHERE content = 'number 2.';
         DELETE FROM days;
         INSERT INTO days SELECT created_at / 86400000, min(id), max(id) FROM messages GROUP BY 1;",
    );
    ann.enter("Lobby").await;
    let day =
        |at: usize| format!("[...document.querySelectorAll('#messages > .day')][{at}].textContent");
    ann.until("document.querySelectorAll('#messages > .day').length === 3")
        .await;
    ann.until(&format!("/, \\d{{4}}$/.test({})", day(0))).await;
    ann.until(&format!("{} === 'Yesterday'", day(1))).await;
    ann.until(&format!("{} === 'Today'", day(2))).await;
    ann.until("/^\\d+:\\d\\d/.test(document.querySelector('#rooms time').textContent)")
        .await;
    ann.shot("days").await;

    ann.eval(&days_later(1)).await;
    ann.until(&format!("{} === 'Yesterday'", day(2))).await;
    ann.until(&format!("!/yesterday|today|\\d{{4}}/i.test({})", day(1)))
        .await;
    // The room list shows the day instead of the time as well.
    ann.until("/^[A-Z][a-z]+$/.test(document.querySelector('#rooms time').textContent)")
        .await;
    ann.eval(&days_later(400)).await;
    ann.until(&format!("/, \\d{{4}}$/.test({})", day(2))).await;
    ann.until("/\\d{4}$/.test(document.querySelector('#rooms time').textContent)")
        .await;
    ann.assert_quiet().await;
}
