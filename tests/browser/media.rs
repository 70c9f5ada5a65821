//! Video, audio and animated images in messages: playing, stopping, and links for unsupported formats.

use serde_json::json;

use crate::driver::{Browser, Window};
use crate::look::LOOKS;
use crate::support::TestServer;

const LOBBY: i64 = 1;

macro_rules! sample {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!("../fixtures/media/", $name)).as_slice(),
        )
    };
}

/// Starts a player and waits until playback advances.
async fn plays(window: &Window, index: usize, name: &str) {
    let start = format!(
        "const player = document.querySelectorAll('#messages :is(video, audio)')[{index}];
         window.player = player; player.muted = true; player.play().catch(() => {{}});
         return [player.getAttribute('aria-label'), player.autoplay, player.preload]"
    );
    assert_eq!(window.eval(&start).await, json!([name, false, "metadata"]));
    window
        .until("window.player.readyState >= 2 && window.player.currentTime > 0.1")
        .await;
}

#[tokio::test]
async fn video_and_audio_play_in_the_page() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let olga = server.user("Olga").await;
    let all = [
        sample!("clip.webm"),
        sample!("clip.mp4"),
        sample!("clip.mov"),
        sample!("sound.mp3"),
        sample!("sound.ogg"),
        sample!("sound.opus"),
        sample!("sound.m4a"),
        sample!("sound.flac"),
        sample!("sound.wav"),
        sample!("sound.aac"),
    ];
    for (name, bytes) in all {
        olga.upload(LOBBY, name, "", bytes).await.ok(201);
    }
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    for (index, (name, _)) in all.iter().enumerate() {
        plays(&ann, index, name).await;
    }
    // Only one player plays at a time.
    let playing = "return [...document.querySelectorAll('video, audio')].filter((one) => !one.paused && !one.ended).length <= 1";
    assert_eq!(ann.eval(playing).await, true);
    // The script renders the same markup as the server.
    let body = "return [...document.querySelectorAll('#messages .files')].map((one) => one.innerHTML.replace(/ (src|href|controls|playsinline|preload|width|height|target|rel|aria-label)(=\"[^\"]*\")?/g, '')).slice(-2)";
    let written = ann.eval(body).await;
    for (name, bytes) in &all[8..] {
        olga.upload(LOBBY, name, "", bytes).await.ok(201);
    }
    ann.until("document.querySelectorAll('#messages audio').length === 9")
        .await;
    assert_eq!(ann.eval(body).await, written);
    // Search results have players, too.
    ann.open("/search?q=has:file").await;
    ann.until("document.querySelectorAll('.hit-files video').length === 3")
        .await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn unsupported_formats_are_links_with_a_note() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let olga = server.user("Olga").await;
    // A supported container with unknown codecs.
    let (_, film) = sample!("clip.mp4");
    let mut strange = film.to_vec();
    let at = strange.windows(4).position(|name| name == b"avc1").unwrap();
    let codec = strange
        .windows(4)
        .rposition(|name| name == b"avc1")
        .unwrap();
    strange[at..at + 4].copy_from_slice(b"xyz9");
    strange[codec..codec + 4].copy_from_slice(b"xyz9");
    let sound = strange
        .windows(4)
        .rposition(|name| name == b"mp4a")
        .unwrap();
    strange[sound..sound + 4].copy_from_slice(b"xyz8");
    olga.upload(LOBBY, "strange.mp4", "", &strange)
        .await
        .ok(201);
    let (_, film) = sample!("clip.mkv");
    olga.upload(LOBBY, "film.mkv", "", film).await.ok(201);
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    ann.until("document.querySelectorAll('#messages a.file').length === 2")
        .await;
    ann.until("document.querySelectorAll('#messages .file-note').length === 2")
        .await;
    ann.see("This browser cannot play this format. Download it to play it.")
        .await;
}

#[tokio::test]
async fn animated_images_can_be_stopped_and_obey_reduced_motion() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let olga = server.user("Olga").await;
    for (name, bytes) in [
        sample!("moving.gif"),
        sample!("moving.webp"),
        sample!("moving.png"),
    ] {
        olga.upload(LOBBY, name, "", bytes).await.ok(201);
    }
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let shown = |what: &str| {
        format!(
            "[...document.querySelectorAll('#messages .moving img')].filter((one) => one.complete && one.naturalWidth && one.currentSrc.includes({what:?})).length === 3"
        )
    };
    ann.until(&shown("/moving.")).await;
    ann.click("#messages .motion").await;
    let stopped =
        "document.querySelector('#messages .moving img').currentSrc.includes('/thumbnail.')";
    ann.until(stopped).await;
    ann.click("#messages .motion").await;
    ann.until(&shown("/moving.")).await;
    let calm = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    ann.devtools("Emulation.setEmulatedMedia", calm).await;
    ann.reload().await;
    ann.live().await;
    ann.until(&shown("/thumbnail.")).await;
    ann.click("#messages .motion").await;
    ann.until("document.querySelector('#messages .moving img').currentSrc.includes('/moving.')")
        .await;
    // In the lightbox, the second one is not animated either.
    ann.eval("document.querySelectorAll('#messages .picture')[1].click()")
        .await;
    ann.until("document.querySelector('.lightbox img').currentSrc.includes('/thumbnail.')")
        .await;
    ann.assert_quiet().await;
}

#[tokio::test]
async fn senders_are_warned_of_metadata_that_is_not_removed() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let server = TestServer::start().await;
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    let drop = |name: &str, kind: &str, text: &str| {
        format!(
            "const data = new DataTransfer();
             data.items.add(new File([{text:?}], {name:?}, {{ type: {kind:?} }}));
             for (const type of ['dragover', 'drop']) document.querySelector('.talk').dispatchEvent(
               new DragEvent(type, {{ dataTransfer: data, bubbles: true, cancelable: true }}));"
        )
    };
    ann.eval(&drop("a.txt", "text/plain", "x")).await;
    ann.eval(&drop("a.pdf", "application/pdf", "%PDF-1.7 x"))
        .await;
    ann.until("document.querySelectorAll('#tray li').length === 2 && document.querySelectorAll('#tray .file-note').length === 1")
        .await;
    ann.write("two").await;
    ann.until("document.querySelectorAll('#messages .file-note').length === 1")
        .await;
    let olga = browser.person(&server, "Olga").await;
    olga.enter("Lobby").await;
    olga.until("document.querySelectorAll('#messages a.file').length === 2 && !document.querySelector('#messages .file-note')")
        .await;
}

/// Runs only if `PARLOR_SHOTS` is set, like all screenshots.
#[tokio::test]
async fn screenshots_of_media_are_taken_on_request() {
    if std::env::var_os("PARLOR_SHOTS").is_none() {
        eprintln!("skipped, PARLOR_SHOTS names no folder");
        return;
    }
    let browser = Browser::start().await.expect("a browser");
    let server = TestServer::start().await;
    let olga = server.user("Olga").await;
    for (name, bytes) in [
        sample!("clip.webm"),
        sample!("sound.mp3"),
        sample!("moving.gif"),
        sample!("clip.mkv"),
    ] {
        olga.upload(LOBBY, name, "", bytes).await.ok(201);
    }
    let ann = browser.person(&server, "Ann").await;
    ann.enter("Lobby").await;
    for look in &LOOKS {
        ann.look(look).await;
        ann.until("[...document.images].every((image) => image.complete)")
            .await;
        ann.shot(&format!("media-{}", look.name)).await;
    }
}
