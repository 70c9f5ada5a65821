// Service worker. It caches the page's own files and one offline page: no data of any account, so it does not matter
// who uses the browser next.

self.addEventListener("install", (event) => {
  const files = [...FILES.map((name) => `${BASE}/${name}`), OFFLINE];
  event.waitUntil(caches.open(BASE).then((cache) => cache.addAll(files)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const drop = (names) => Promise.all(names.filter((name) => name !== BASE).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(drop).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith(`${BASE}/`)) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  } else if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  }
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path } = event.notification.data ?? {};
  const show = async () => {
    const windows = await self.clients.matchAll({ type: "window" });
    const open = windows.find((client) => "navigate" in client);
    if (!open) return self.clients.openWindow(path);
    await open.focus();
    return open.navigate(path);
  };
  event.waitUntil(show());
});
