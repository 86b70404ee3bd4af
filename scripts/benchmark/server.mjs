// Serves the benchmark's pages, models and peers to Chromium: static, never cached. Scripts and wasm are sent with gzip,
// as hosts do; models as they are.

import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { isolation } from '../../web/scripts/isolation.mjs';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
};
const chunk = 16384; // bytes: 2.6 ms at 50 Mbit/s

/**
 * `folders`: first segment of the path -> folder. `isolated`: its pages may share memory between threads. The server's `bitsPerSecond` (0: no limit) is shared by all its
 * connections, a worker's too, which the browser's own throttling leaves out; `sent` counts body bytes.
 */
export class Server {
  bitsPerSecond = 0;
  sent = 0;
  #folders;
  #headers;
  #server;
  #bodies = new Map(); // file -> {bytes, headers}
  #free = 0; // when the line is free again, ms

  constructor(folders, { isolated = false } = {}) {
    this.#headers = { 'Cache-Control': 'no-store', ...(isolated && { ...isolation, 'Cross-Origin-Resource-Policy': 'same-origin' }) };
    this.#folders = Object.fromEntries(Object.entries(folders).map(([name, folder]) => [name, resolve(folder)]));
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  async listen() {
    await new Promise((done, failed) => {
      this.#server.once('error', failed);
      this.#server.listen(0, '127.0.0.1', done);
    });
    this.base = `http://127.0.0.1:${this.#server.address().port}`;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #body(file) {
    let body = this.#bodies.get(file);
    if (!body) {
      const type = types[extname(file)];
      const bytes = await readFile(file);
      const headers = { 'Content-Type': type ?? 'application/octet-stream' };
      if (type) headers['Content-Encoding'] = 'gzip';
      body = { bytes: type ? gzipSync(bytes) : bytes, headers };
      this.#bodies.set(file, body);
    }
    return body;
  }

  async #answer(request, response) {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const [, first, ...rest] = path.split('/');
    const folder = this.#folders[first];
    const file = folder && join(folder, ...rest);
    const found = file?.startsWith(folder + sep) && (await stat(file).catch(() => null))?.isFile();
    if (!found) {
      response.writeHead(404, this.#headers).end(`not found: ${path}\n`);
      return;
    }
    const body = await this.#body(file);
    response.writeHead(200, { ...this.#headers, ...body.headers, 'Content-Length': body.bytes.length });
    this.sent += body.bytes.length;
    if (!this.bitsPerSecond) {
      response.end(body.bytes);
      return;
    }
    for (let at = 0; at < body.bytes.length && !response.destroyed; at += chunk) {
      const part = body.bytes.subarray(at, at + chunk);
      this.#free = Math.max(this.#free, performance.now()) + (part.length * 8000) / this.bitsPerSecond;
      const wait = this.#free - performance.now();
      if (wait > 1) await sleep(wait);
      response.write(part);
    }
    response.end();
  }
}
