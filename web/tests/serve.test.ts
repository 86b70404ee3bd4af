import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../scripts/serve.mjs';

const script = fileURLToPath(new URL('../scripts/serve.mjs', import.meta.url));
let folder: string;
let root: string;
let server: Server;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-'));
  root = join(folder, 'dist');
  await mkdir(join(root, 'assets'), { recursive: true });
  await mkdir(join(root, 'models'));
  await mkdir(join(folder, 'dist-secret'));
  await writeFile(join(root, 'index.html'), '<!doctype html>');
  await writeFile(join(root, 'assets', 'engine-1a2b.wasm'), '0123456789');
  await writeFile(join(root, 'models', 'model.safetensors'), 'weights');
  await writeFile(join(root, 'models', 'empty.spm'), '');
  await writeFile(join(folder, 'dist-secret', 'key'), 'secret');
  await writeFile(join(folder, 'secret'), 'secret');
  server = await serve({ root });
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** By hand: fetch() would tidy the path before it is sent. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((done, failed) => {
    request({ port, path, headers, method }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => done({ status: response.statusCode!, headers: response.headers, body }));
    })
      .on('error', failed)
      .end();
  });
}

describe('serve', () => {
  it('sends the page with the headers for isolation and its policy', async () => {
    const { status, headers, body } = await get('/?x=1');
    expect(status).toBe(200);
    expect(body).toBe('<!doctype html>');
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-cache',
    });
    expect(headers['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval'");
  });

  it('knows its types', async () => {
    expect((await get('/assets/engine-1a2b.wasm')).headers).toMatchObject({
      'content-type': 'application/wasm',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    for (const name of ['model.safetensors', 'empty.spm']) {
      expect((await get(`/models/${name}`)).headers['content-type']).toBe('application/octet-stream');
    }
  });

  it('HEAD tells the size and sends nothing', async () => {
    const { status, headers, body } = await get('/assets/engine-1a2b.wasm', {}, 'HEAD');
    expect([status, headers['content-length'], body]).toEqual([200, '10', '']);
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=7-99', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=10-', 416, 'range not satisfiable\n', 'bytes */10'],
    ['bytes=5-2', 200, '0123456789', undefined],
    ['bytes=0-1,4-5', 200, '0123456789', undefined],
    ['lines=1-2', 200, '0123456789', undefined],
  ])('Range %s: %i', async (range, status, body, contentRange) => {
    const answer = await get('/assets/engine-1a2b.wasm', { range });
    expect([answer.status, answer.body, answer.headers['content-range']]).toEqual([status, body, contentRange]);
  });

  it('does not send again what has not changed', async () => {
    const { headers } = await get('/index.html');
    expect((await get('/index.html', { 'if-none-match': String(headers.etag) })).status).toBe(304);
  });

  it.each([
    '/../secret',
    '/%2e%2e/secret',
    '/assets/../../secret',
    '/assets/%2e%2e%2f%2e%2e%2fsecret',
    '/..%5csecret',
    '/../dist-secret/key',
    '/%00',
    '/%',
  ])('stays inside its folder: %s', async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(400);
    expect(body).not.toContain('secret\n');
  });

  it('404, 405, an empty file, a folder without its slash', async () => {
    expect((await get('/nothing.js')).status).toBe(404);
    expect((await get('/assets/')).status).toBe(404);
    expect((await get('/', {}, 'POST')).status).toBe(405);
    expect(await get('/models/empty.spm')).toMatchObject({ status: 200, body: '' });
    expect(await get('/assets')).toMatchObject({ status: 301, headers: { location: '/assets/' } });
  });

  it('says when the port is taken', async () => {
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((done) =>
      execFile(process.execPath, [script, '--port', String(port), '--root', root], (error, _stdout, stderr) =>
        done({ code: error?.code, stderr }),
      ),
    );
    expect(code).toBe(1);
    expect(stderr).toBe(`error: port ${port}: already in use by another program\n`);
  });
});
