// Keeps the page for when there is no network: everything is fetched once, when the page opens for the first time. make web
// fills in the version and the files.
const VERSION = '@VERSION@';
const FILES = ['./', '@FILES@'];

addEventListener('install', event => {
  skipWaiting();
  event.waitUntil(caches.open(VERSION).then(cache => cache.addAll(FILES.map(file => new Request(file, { cache: 'no-cache' })))));
});

addEventListener('activate', event => {
  const old = names => Promise.all(names.filter(name => name.startsWith('ysc2onnx-') && name !== VERSION).map(name => caches.delete(name)));
  event.waitUntil(caches.keys().then(old).then(() => clients.claim()));
});

// With these headers, ONNX Runtime may use threads, whatever the server sends.
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Resource-Policy': 'same-origin' };

async function answer(request) {
  const kept = await (await caches.open(VERSION)).match(request, { ignoreSearch: true }) ?? await fetch(request);
  const headers = new Headers(kept.headers);
  for (const [name, value] of Object.entries(isolation)) headers.set(name, value);
  return new Response(kept.body, { status: kept.status, statusText: kept.statusText, headers });
}

addEventListener('fetch', event => {
  const { method, url } = event.request;
  if (method === 'GET' && new URL(url).origin === location.origin) event.respondWith(answer(event.request));
});
