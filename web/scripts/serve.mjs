#!/usr/bin/env node
// A static file server for the built page: no dependencies, the headers the page wants.
//
//   node web/scripts/serve.mjs [--port 8080] [--root web/dist] [--models DIR]
//
// --models serves another folder in place of ROOT/models, for trying a model that is not built in.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { isolation } from './isolation.mjs';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/plain; charset=utf-8', // browsers would download text/markdown
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};

/** The page's own policy once more, as a header: the worker does not inherit the one in index.html. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const always = {
  ...isolation,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/**
 * `isolated` false leaves out the headers for isolation, as hosts do that know nothing of them.
 * Resolves when it listens; rejects when the port is taken. `server.address().port` tells the port.
 */
export function serve({ root, port = 0, host, models, isolated = true }) {
  const server = createServer((request, response) => {
    if (!isolated) leaveOut(response, Object.keys(isolation));
    answer(request, response, { root: resolve(root), models: models && resolve(models) }).catch(
      (error) => {
        if (!response.headersSent) plain(response, 500, `internal error: ${error.message}`);
        else response.destroy();
      },
    );
  });
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, host, () => done(server));
  });
}

function leaveOut(response, names) {
  const write = response.writeHead.bind(response);
  response.writeHead = (status, headers) =>
    write(status, Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name))));
}

async function answer(request, response, { root, models }) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return plain(response, 405, 'only GET and HEAD', { Allow: 'GET, HEAD' });
  }
  let path;
  try {
    path = decodeURIComponent(request.url.split(/[?#]/, 1)[0]);
  } catch {
    return plain(response, 400, 'not a valid address');
  }
  // No segment may climb, whichever slash it uses; a file name holds neither NUL nor backslash here.
  if (!path.startsWith('/') || /[\0\\]/.test(path) || path.split('/').includes('..')) {
    return plain(response, 400, 'not a valid address');
  }
  const [base, rest] =
    models && (path === '/models' || path.startsWith('/models/'))
      ? [models, path.slice('/models'.length)]
      : [root, path];
  let file = join(base, rest);
  if (file !== base && !file.startsWith(base.endsWith(sep) ? base : base + sep)) {
    return plain(response, 400, 'not a valid address');
  }
  let found = await stat(file).catch(() => null);
  if (found?.isDirectory()) {
    if (!path.endsWith('/')) {
      // Relative addresses in the page need the slash.
      return plain(response, 301, 'moved', { Location: `${encodeURI(path).replace(/^\/+/, '/')}/` });
    }
    file = join(file, 'index.html');
    found = await stat(file).catch(() => null);
  }
  if (!found?.isFile()) return plain(response, 404, `not found: ${path}`);

  const etag = `"${found.size.toString(16)}-${Math.round(found.mtimeMs).toString(16)}"`;
  const headers = {
    ...always,
    'Content-Type': types[extname(file).toLowerCase()] ?? 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    // Built assets carry a hash in their names; everything else is asked for again.
    'Cache-Control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    'Last-Modified': found.mtime.toUTCString(),
    ETag: etag,
  };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = rangeOf(request.headers, found.size, etag);
  if (range === 'unsatisfiable') {
    return plain(response, 416, 'range not satisfiable', { 'Content-Range': `bytes */${found.size}` });
  }
  const { first, last } = range ?? { first: 0, last: found.size - 1 };
  headers['Content-Length'] = last - first + 1;
  if (range) headers['Content-Range'] = `bytes ${first}-${last}/${found.size}`;
  response.writeHead(range ? 206 : 200, headers);
  if (request.method === 'HEAD' || last < first) {
    response.end();
    return;
  }
  const stream = createReadStream(file, { start: first, end: last });
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

/** One range of the Range header; null: send everything (none asked for, several, or not understood). */
function rangeOf(headers, size, etag) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  if (headers['if-range'] !== undefined && headers['if-range'] !== etag) return null;
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== '' && Number(match[2]) < first) return null;
  return first >= size ? 'unsatisfiable' : { first, last };
}

function plain(response, status, text, headers = {}) {
  response.writeHead(status, {
    ...always,
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end(`${text}\n`);
}

async function main() {
  const here = fileURLToPath(new URL('.', import.meta.url));
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        port: { type: 'string', default: '8080' },
        root: { type: 'string', default: join(here, '..', 'dist') },
        host: { type: 'string' },
        models: { type: 'string' },
      },
    }));
  } catch (error) {
    console.error(`error: ${error.message}`);
    return 2;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    console.error(`error: --port ${values.port}: not a port`);
    return 2;
  }
  for (const folder of [values.root, values.models]) {
    if (folder !== undefined && !(await stat(folder).catch(() => null))?.isDirectory()) {
      console.error(`error: ${folder}: not a folder${folder === values.root ? '; build the page first (npm run build)' : ''}`);
      return 1;
    }
  }
  try {
    const server = await serve({ ...values, port });
    console.log(`http://localhost:${server.address().port}`);
  } catch (error) {
    const why = error.code === 'EADDRINUSE' ? 'already in use by another program' : error.message;
    console.error(`error: port ${port}: ${why}`);
    return 1;
  }
  return null; // serves until it is ended
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const status = await main();
  if (status !== null) process.exit(status);
}
