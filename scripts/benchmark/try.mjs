import { serve } from './server.mjs';
import { chromium } from 'playwright-core';
const [engine, name, words, n] = process.argv.slice(2);
const s = await serve({ page: 'page', node_modules: 'node_modules', models: '../../build/bench/models', ours: '../../build/bench/page' });
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-gpu','--disable-dev-shm-usage','--no-first-run'] });
const p = await b.newPage();
p.on('console', (m) => console.log('console', m.text().slice(0, 300)));
p.on('pageerror', (m) => console.log('pageerror', m.message.slice(0, 300)));
const ours = engine === 'translucent';
await p.goto(`http://127.0.0.1:${s.port}/` + (ours ? 'ours/translucent.html' : `page/peer.html?engine=${engine}`));
import { execFileSync } from 'node:child_process';
const texts = JSON.parse(execFileSync('../../build/bench/venv/bin/python', ['-c', `import json,sys;sys.path.insert(0,'.');import texts;print(json.dumps(texts.pseudo_sentences(${n}*3, ${words}, 5)))`]));
try {
console.log(await p.evaluate(async ([name, texts, length, n]) => {
  await ready;
  const t0 = performance.now();
  await engine.load({ url: `/models/${name}/` });
  const out = [performance.now() - t0];
  let r;
  for (let i = 0; i < 3; i++) { const t = performance.now(); r = await engine.translate(texts.slice(i * n, i * n + n), { length }); out.push(performance.now() - t); }
  return [out, r.length, r[0], r.map((x) => x.split(' ').length).slice(0, 5), engine.about?.()];
}, [name, texts, 2 * (Number(words) + 1), Number(n)]));
} catch (e) { console.log(e.message.slice(0, 800)); }
await b.close(); s.close();
