//! Slow uploads and costly images do not block other people's uploads.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::ImageFormat;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::*;

const LOBBY: i64 = 1;

/// Starts an upload and stops after `bytes` bytes of the file.
async fn begin(by: &Persona, bytes: usize) -> TcpStream {
    let head = format!(
        "POST /api/v1/rooms/1/files HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: {}\r\n\
         content-length: 1000000\r\n\r\n--parlor-test-boundary\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n",
        by.address,
        by.header("authorization"),
        Form::content_type(),
    );
    let mut tcp = TcpStream::connect(by.address).await.unwrap();
    tcp.write_all(head.as_bytes()).await.unwrap();
    tcp.write_all(&vec![b'x'; bytes]).await.unwrap();
    tcp
}

async fn people(server: &TestServer, count: usize) -> Vec<Persona> {
    let mut people = Vec::new();
    for n in 0..count {
        people.push(server.user(&format!("slow{n}")).await);
    }
    people
}

/// Uploads a file while each of the slow ones sends one more byte every ten seconds.
async fn upload_beside(by: &Persona, slow: &mut [TcpStream]) -> Reply {
    let task = {
        let by = by.clone();
        tokio::spawn(async move { by.upload(LOBBY, "a.txt", "", vec![b'x'; 300_000]).await })
    };
    for _ in 0..4 {
        for tcp in &mut *slow {
            let _ = tcp.write_all(b"x").await;
        }
        // The answer shows that the server has read what was sent before.
        by.get("me").await.ok(200);
        skip(Duration::from_secs(10)).await;
    }
    within("the upload", task).await.unwrap()
}

#[tokio::test]
async fn stalled_uploads_do_not_block_others() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut slow = Vec::new();
    for eve in people(&server, 8).await {
        for _ in 0..4 {
            slow.push(begin(&eve, 40_000).await);
        }
    }
    upload_beside(&ann, &mut slow).await.ok(201);
}

#[tokio::test]
async fn uploads_of_a_few_bytes_take_no_permits() {
    let server = TestServer::start().await;
    let (ann, mut slow) = (server.user("ann").await, Vec::new());
    let eves = people(&server, 8).await;
    for eve in &eves {
        for _ in 0..40 {
            slow.push(begin(eve, 1).await);
        }
    }
    // They do not block other uploads of the same account either.
    upload_beside(&eves[0], &mut slow).await.ok(201);
    upload_beside(&ann, &mut slow).await.ok(201);
}

#[tokio::test]
async fn a_trickling_body_is_cut_off() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut upload = begin(&ann, 1).await;
    let mut answer = [0; 12];
    for _ in 0..20 {
        // The answer shows that the server has read what was sent before.
        ann.get("me").await.ok(200);
        if upload.try_read(&mut answer).is_ok() {
            break;
        }
        skip(Duration::from_secs(15)).await;
        let _ = upload.write_all(b"x").await;
    }
    assert_eq!(&answer, b"HTTP/1.1 400");
}

/// The images of one account are decoded in turns with those of others.
#[tokio::test]
async fn an_image_waits_for_at_most_one_of_each_other_account() {
    let server = TestServer::start().await;
    let (ann, eve) = (server.user("ann").await, server.user("eve").await);
    let costly = white_png(3_000);
    let costly: Vec<_> = (0..4)
        .map(|_| {
            let (eve, costly) = (eve.clone(), costly.clone());
            tokio::spawn(async move {
                let form = Form::new().file("white.png", "image/png", &costly);
                let sent = eve.form("POST", "rooms/1/files", &form).await;
                assert_eq!(sent.status, 201, "{sent}");
            })
        })
        .collect();
    until("they have come", || server.count("files") >= 4).await;
    let small = picture(500, 400, ImageFormat::Png);
    let sent = ann.upload(LOBBY, "a.png", "", small).await.ok(201);
    assert!(only_file(&sent)["thumbnail_url"].is_string());
    let left = costly.iter().filter(|task| !task.is_finished()).count();
    assert!(left >= 2, "{left}");
    for task in costly {
        within("the rest", task).await.unwrap();
    }
}

/// Encodes a white square of one bit per pixel.
fn white_png(side: u32) -> Vec<u8> {
    let row = vec![0xff_u8; (side as usize).div_ceil(8) + 1];
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..side {
        // Each row starts with its filter type: none.
        packed.write_all(&[&[0], &row[1..]].concat()).unwrap();
    }
    let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
    header.extend([1, 0, 0, 0, 0]);
    let chunks = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &packed.finish().unwrap()),
        chunk(b"IEND", &[]),
    ];
    chunks.concat()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [name.as_slice(), data].concat();
    let mut sum = flate2::Crc::new();
    sum.update(&body);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &body, &sum.sum().to_be_bytes()].concat()
}
