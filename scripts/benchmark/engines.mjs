// Every engine behind one interface:
//   await open()                           starts it and loads the model; after it, `about` may tell its version
//   await translate(texts, length)         -> {texts, milliseconds}; length: target tokens of random models, or null
//   await close()                          -> {peak, now, own}: resident bytes of its process before it ended
// `splits`: takes paragraphs and splits them into sentences itself.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Peak and present resident bytes of a process, from /proc; `own`: without the pages of files, such as the
 * browser's own program, which all its processes share. */
export function resident(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { peak: field('VmHWM'), now: field('VmRSS'), own: field('RssAnon') + field('RssShmem') };
}

/** Milliseconds of all processors that the host has given to others so far while this machine wanted them; 0: it does
 * not say. The kernel counts hundredths of a second. */
export function stolen() {
  try {
    return 10 * Number(/^cpu +(?:\d+ +){7}(\d+)/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Whether a renderer is that of the browser's own window, which comes and goes with the page's. */
function drawsTheBrowser(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--top-chrome-webui');
  } catch {
    return true; // it is gone
  }
}

/** What models/index.json would say of a folder built by models.py. */
export function modelInfo(folder) {
  const files = readdirSync(folder)
    .filter((name) => !name.endsWith('.md'))
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return { name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    });
  return { id: 'translucent', source: 'xx', target: 'yy', name: 'benchmark', licence: '', scores: {}, files };
}

/** A page of its own in a browser context of its own, so in a renderer process of its own. */
export class BrowserEngine {
  splits = true;

  /** `engine`: 'translucent', a module of page/, or 'variant' with the name of one of our modules in `variant`. */
  constructor({ browser, server, model, folder, engine, variant = '' }) {
    Object.assign(this, { browser, server, model, folder, engine, variant });
    this.splits = engine !== 'transformers.js';
  }

  get address() {
    return this.engine === 'translucent'
      ? `${this.server.base}/ours/translucent.html`
      : `${this.server.base}/page/peer.html?engine=${this.engine}&variant=${this.variant}`;
  }

  async #renderers() {
    const session = await this.browser.newBrowserCDPSession();
    try {
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      return processInfo.filter(({ type, id }) => type === 'renderer' && !drawsTheBrowser(id)).map(({ id }) => id);
    } finally {
      await session.detach().catch(() => {}); // the browser may be gone
    }
  }

  async open() {
    this.context = await this.browser.newContext();
    this.page = await this.context.newPage();
    this.page.setDefaultTimeout(0);
    this.complaints = [];
    this.page.on('pageerror', (error) => this.complaints.push(error.message));
    await this.page.goto(this.address);
    const options = { url: `/models/${this.model}/` };
    if (this.engine === 'translucent' || this.engine === 'variant') options.info = modelInfo(join(this.folder, 'translucent'));
    const loaded = await this.page.evaluate(async (options) => {
      await ready;
      await engine.load(options);
      return { milliseconds: performance.now(), about: engine.about?.() ?? '' };
    }, options);
    this.about = loaded.about;
    return loaded;
  }

  translate(texts, length) {
    return this.page.evaluate(
      async ([texts, length]) => {
        const began = performance.now();
        const outputs = await engine.translate(texts, { length });
        return { texts: outputs, milliseconds: performance.now() - began, sinceNavigation: performance.now() };
      },
      [texts, length],
    );
  }

  /** Nothing tells a page's process, so it is the one that is gone once the page is; an idle one may go with it. */
  async close() {
    if (!this.context) return null;
    const before = new Map();
    try {
      for (const pid of await this.#renderers()) before.set(pid, resident(pid));
    } catch {
      return null; // the browser is gone, and the page with it
    }
    await this.context.close();
    for (let tries = 0; tries < 40; tries++) {
      const left = new Set(await this.#renderers());
      const gone = [...before].filter(([pid]) => !left.has(pid)).map(([, memory]) => memory);
      if (gone.length) return gone.reduce((most, memory) => (memory.peak > most.peak ? memory : most));
      await sleep(50);
    }
    return null;
  }
}

/** A child process that answers requests line by line. */
class Child {
  constructor(command, parameters, options = {}) {
    this.child = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
    this.waiting = [];
    this.lines = [];
    this.stderr = '';
    this.child.stderr.on('data', (data) => (this.stderr = (this.stderr + data).slice(-2000)));
    this.child.stdin.on('error', () => {}); // it ended: the exit says why
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      if (this.waiting.length) this.waiting.shift().done(line);
      else this.lines.push(line);
    });
    this.child.on('error', (error) => (this.stderr = error.message));
    this.child.on('close', (code) => {
      const last = this.stderr.trim().split('\n').at(-1);
      this.ended = new Error(last || `it ended with status ${code}`);
      for (const { failed } of this.waiting) failed(this.ended);
      this.waiting = [];
    });
  }

  write(text) {
    this.child.stdin.write(text);
  }

  line() {
    if (this.lines.length) return Promise.resolve(this.lines.shift());
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((done, failed) => this.waiting.push({ done, failed }));
  }

  close() {
    this.child.kill();
  }
}

/** Peers from PyPI, through native.py. */
export class PythonEngine {
  splits = false;

  constructor({ python, script, folder, engine }) {
    Object.assign(this, { python, script, folder, engine });
    this.splits = engine === 'fxtranslate';
  }

  async open() {
    const env = { ...process.env, OMP_NUM_THREADS: '1', OMP_WAIT_POLICY: 'passive' };
    this.child = new Child(this.python, [this.script, this.engine, this.folder], { env });
    const answer = JSON.parse(await this.child.line());
    if (answer.error) throw new Error(answer.error);
    this.about = answer.about;
    return { milliseconds: answer.seconds * 1000, about: answer.about };
  }

  async translate(texts, length) {
    this.child.write(`${JSON.stringify({ texts, length })}\n`);
    const answer = JSON.parse(await this.child.line());
    if (answer.error) throw new Error(answer.error);
    return { texts: answer.texts, milliseconds: answer.seconds * 1000 };
  }

  async close() {
    if (!this.child || this.child.ended) return null;
    const memory = resident(this.child.child.pid);
    this.child.close();
    return memory;
  }
}

/** Our command line as a pipe; a process for every limit on the length, which is an option of its start. */
export class CommandEngine {
  splits = true;

  constructor({ binary, folder, threads = 1 }) {
    Object.assign(this, { binary, folder, threads, children: new Map() });
  }

  async open() {
    const began = performance.now();
    await this.#child(null);
    return { milliseconds: performance.now() - began, about: '' };
  }

  async #child(length) {
    let child = this.children.get(length);
    if (!child) {
      const options = ['--beam', '1', '--threads', String(this.threads), ...(length ? ['--max-length', String(length)] : [])];
      child = new Child(this.binary, ['translate', '--model', this.folder, ...options]);
      this.children.set(length, child);
      child.write('\n'); // an empty line is answered once the model is loaded
      await child.line();
    }
    return child;
  }

  async translate(texts, length) {
    const child = await this.#child(length);
    const began = performance.now();
    child.write(texts.map((text) => `${text}\n`).join(''));
    const outputs = [];
    for (const _ of texts) outputs.push(await child.line());
    return { texts: outputs, milliseconds: performance.now() - began };
  }

  async close() {
    const running = [...this.children.values()].filter(({ ended }) => !ended);
    const all = running.map(({ child }) => resident(child.pid));
    for (const child of running) child.close();
    if (!all.length) return null;
    return { peak: Math.max(...all.map(({ peak }) => peak)), now: Math.max(...all.map(({ now }) => now)) };
  }
}
