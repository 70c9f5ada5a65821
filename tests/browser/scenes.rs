//! All pages and their states, for screenshots and accessibility checks.

use crate::driver::Window;
use crate::household::Household;
use crate::support::PASSWORD;

/// A page and the actions that bring it into a state.
#[derive(Clone)]
pub struct Scene {
    pub name: &'static str,
    pub path: String,
    /// CSS selectors of the elements to click, in order.
    pub press: &'static [&'static str],
    /// Text to type into the element focused afterwards.
    pub typed: &'static str,
}

impl Scene {
    /// A page as it opens.
    pub fn plain(name: &'static str, path: impl Into<String>) -> Self {
        Self {
            name,
            path: path.into(),
            press: &[],
            typed: "",
        }
    }

    fn press(self, press: &'static [&'static str]) -> Self {
        Self { press, ..self }
    }

    fn types(self, typed: &'static str) -> Self {
        Self { typed, ..self }
    }

    /// Opens the page and performs the actions.
    pub async fn enter(&self, window: &Window) {
        window.open(&self.path).await;
        window.until("document.readyState === 'complete'").await;
        let has_script = "document.querySelector('meta[name=page]')";
        if window.eval(&format!("return {has_script} !== null")).await == true {
            window.live().await;
        }
        for css in self.press {
            window
                .until(&format!("document.querySelector({css:?})"))
                .await;
            let press =
                format!("const at = document.querySelector({css:?}); at.focus(); at.click?.();");
            window.eval(&press).await;
        }
        if !self.typed.is_empty() {
            let field = window.client.active_element().await.unwrap();
            field.send_keys(self.typed).await.unwrap();
        }
    }
}

/// Pages for visitors who are not logged in.
pub fn of_visitors(home: &Household) -> Vec<Scene> {
    vec![
        Scene::plain("login", "/auth/login"),
        Scene::plain("register", "/auth/register"),
        Scene::plain("guest", "/auth/guest"),
        Scene::plain("look", "/settings"),
        Scene::plain("invited", &home.invite),
        Scene::plain("password", &home.password_link),
        Scene::plain("bad-invite", "/invite?code=no"),
        Scene::plain("fault", "/no/such/page"),
        Scene::plain("offline", "/offline"),
        Scene::plain("api-docs", "/api/docs"),
    ]
}

/// Pages for logged-in people, including the details of an own room.
pub fn of_members(home: &Household) -> Vec<Scene> {
    let details = |room: &str| format!("/conversations/{room}");
    vec![
        Scene::plain("conversations", "/conversations"),
        Scene::plain("rooms", "/rooms"),
        Scene::plain("new-room", "/rooms/new").press(&["#private"]),
        Scene::plain("people", "/people"),
        Scene::plain("search", "/search?q=tea"),
        Scene::plain("search-nothing", "/search?q=zebra"),
        Scene::plain("settings", "/settings"),
        Scene::plain("details", details(&home.garden)),
        Scene::plain("details-managing", details(&home.garden))
            .press(&[".member details summary", "#delete summary"]),
        Scene::plain("details-others", details(&home.kitchen)),
    ]
}

/// Pages for admins.
pub fn of_admins(home: &Household) -> Vec<Scene> {
    vec![
        Scene::plain("admin", "/admin"),
        Scene::plain("users", "/users"),
        Scene::plain("user", format!("/users/edit/{}", home.bob)).press(&["#delete summary"]),
        Scene::plain("groups", "/groups"),
        Scene::plain("group-new", "/groups/create"),
        Scene::plain("group-edit", format!("/groups/{}/edit", home.garden)),
    ]
}

/// The chat page with each of its menus and dialogs.
pub fn of_chats(home: &Household) -> Vec<Scene> {
    const MINE: &str = "#messages .message.own:last-of-type, #messages .message.own";
    let kitchen = || format!("/chat/{}", home.kitchen);
    vec![
        Scene::plain("chat", kitchen()),
        Scene::plain("chat-direct", format!("/chat/{}", home.direct)),
        Scene::plain("chat-looking-in", format!("/chat/{}", home.market)),
        Scene::plain("chat-menu", kitchen()).press(&[MINE, ".actions [data-do=more]"]),
        Scene::plain("chat-emoji", kitchen()).press(&[MINE, ".actions [data-do=react]"]),
        Scene::plain("chat-reply", kitchen()).press(&[MINE, ".actions [data-do=reply]"]),
        Scene::plain("chat-delete", kitchen()).press(&[
            MINE,
            ".actions [data-do=more]",
            "#deeds [data-do=delete]",
        ]),
        Scene::plain("chat-names", kitchen())
            .press(&["#content"])
            .types("@"),
        Scene::plain("chat-picture", kitchen()).press(&["#messages .picture"]),
        Scene::plain("switcher", kitchen())
            .press(&[".switch"])
            .types("a"),
    ]
}

/// Logs in by the form.
pub async fn log_in(window: &Window, name: &str) {
    window.open("/auth/login").await;
    window.fill("#username", name).await;
    window.fill("#password", PASSWORD).await;
    window.click("button.main").await;
    window.until("location.pathname === '/conversations'").await;
    window.live().await;
}
