// Serves the benchmark's pages, models and peers to Chromium: static, cross-origin isolated, never cached.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** `folders`: first segment of the path -> folder. Resolves to {port, close}. */
export function serve(folders) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const [, first, ...rest] = path.split('/');
    const folder = folders[first] && resolve(folders[first]);
    const file = folder && join(folder, ...rest);
    const found = file?.startsWith(folder + sep) && (await stat(file).catch(() => null));
    const headers = {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-store',
    };
    if (!found || !found.isFile()) {
      response.writeHead(404, headers).end(`not found: ${path}\n`);
      return;
    }
    headers['Content-Type'] = types[extname(file)] ?? 'application/octet-stream';
    headers['Content-Length'] = found.size;
    response.writeHead(200, headers);
    createReadStream(file).on('error', () => response.destroy()).pipe(response);
  });
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => done({ port: server.address().port, close: () => server.close() }));
  });
}
