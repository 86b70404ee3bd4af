// The WebAssembly module from JavaScript, under Node: node tests/wasm/bindings.mjs MODULE.js
//
// What the core computes is tested natively; here it is how values come in and out. The model is
// tests/fixtures/format/tiny, the expected values are transformers' (scripts/fixtures/steps.py). The
// last line is "N passed, N failed"; the exit status is not 0 when a test failed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const fixtures = new URL('../fixtures/', import.meta.url);
const json = (name) => JSON.parse(readFileSync(new URL(name, fixtures), 'utf8'));
const expected = json('steps/tiny.json');
const examples = json('format/tiny/expected.json');

const { default: start } = await import(pathToFileURL(process.argv[2]).href);
const engine = await start();
const files = ['config.json', 'generation_config.json', 'model.safetensors', 'source.spm', 'target.spm',
  'tokenizer_config.json', 'vocab.json'].map((name) => ({
  name,
  bytes: new Uint8Array(readFileSync(new URL(`format/tiny/${name}`, fixtures))),
}));
const model = new engine.Translator(files);
const EOS = 0;

function near(actual, wanted, tolerance, what) {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${what}: ${actual} is not ${wanted}`);
}

function allNear(actual, wanted, what) {
  assert.equal(actual.length, wanted.length, what);
  wanted.forEach((value, i) => near(actual[i], value, 5e-5, `${what}, ${i}`));
}

const idsOf = (tokens) => tokens.map((token) => token.id);

/** Tokens lie one behind the other in their text, in UTF-16. */
function checkOffsets({ text, tokens }) {
  let end = 0;
  for (const token of tokens) {
    assert.ok(token.begin >= end && token.end >= token.begin, JSON.stringify(token));
    end = token.end;
  }
  assert.equal(end, text.length);
}

const tests = {
  'translate: as transformers does'() {
    const texts = examples.map(({ source }) => source);
    const found = model.translate(texts, { beamSize: 4 });
    assert.deepEqual(found.map(([best]) => best.text), examples.map(({ beam4 }) => beam4));
  },

  'start: slices, partial texts, the same result'() {
    const texts = ['', ...examples.map(({ source }) => source), ' 狗追猫。\n猫追狗。 '];
    for (const options of [{ beamSize: 1 }, { beamSize: 4, nbest: 2 }]) {
      const whole = model.translate(texts, options);
      const job = model.start(texts, options);
      let slices = 0;
      let grown = 0;
      let before = '';
      for (let done = false; !done; slices++) {
        done = job.run(0);
        const partial = job.partial(1);
        if (options.beamSize === 1) assert.ok(partial.startsWith(before), `${before} -> ${partial}`);
        grown += partial !== before;
        before = partial;
        if (!done) assert.throws(() => job.result(), { name: 'Error', message: 'translation: is not done yet' });
      }
      assert.ok(slices > 5 && grown > 3, `${slices} slices, ${grown} partial texts`);
      assert.deepEqual(job.result(), whole);
      texts.forEach((_, i) => assert.equal(job.partial(i), whole[i][0].text));
      for (const wrong of [-1, texts.length, 1e12, NaN]) assert.throws(() => job.partial(wrong), Error);
      assert.equal(job.run(1000), true);
      job.delete();
    }
  },

  'start: a job may be deleted at any time, and live longer than its model'() {
    const other = new engine.Translator(files);
    for (let slices = 0; slices < 5; slices++) {
      const job = other.start(['狗追猫。'], {});
      for (let i = 0; i < slices; i++) job.run(0);
      job.delete();
    }
    const job = other.start(['狗追猫。'], {});
    other.delete();
    assert.equal(job.run(60_000), true);
    assert.equal(job.result()[0][0].text, 'The dog chases the cat.');
    job.delete();
  },

  'start: jobs leave no memory behind'() {
    const text = examples.map(({ source }) => source).join('');
    const job = () => {
      const started = model.start([text], { beamSize: 4 });
      for (let i = 0; i < 3; i++) started.run(0);
      started.delete();
    };
    for (let i = 0; i < 20; i++) job();
    const size = engine.HEAPU8.length;
    for (let i = 0; i < 500; i++) job();
    assert.equal(engine.HEAPU8.length, size);
  },

  'explain: steps'() {
    for (const { source, target, steps } of expected) {
      assert.deepEqual(model.explain(source, {}, undefined).steps, []);
      const explained = model.explain(source, { candidates: 6 }, undefined);
      checkOffsets(explained.source);
      checkOffsets(explained.target);
      assert.deepEqual(idsOf(explained.target.tokens), target);
      assert.equal(explained.steps.length, target.length);
      explained.steps.forEach((step, t) => {
        near(step.entropy, steps[t].entropy, 1e-4, 'entropy');
        assert.deepEqual(idsOf(step.candidates), steps[t].ids);
        allNear(step.candidates.map(({ probability }) => probability), steps[t].probabilities, 'step');
        const own = step.candidates.find(({ id }) => id === target[t]);
        if (own) assert.equal(own.piece, explained.target.tokens[t].piece);
      });
    }
  },

  'continuations: of prefixes, as explain() has them'() {
    for (const { source, prefixes } of expected) {
      for (const beamSize of [1, 4]) {
        const wanted = prefixes.filter(({ beams }) => beams === beamSize);
        const found = model.continuations(source, wanted.map(({ prefix }) => prefix), { beamSize });
        assert.equal(found.length, wanted.length);
        found.forEach((continuation, i) => {
          checkOffsets(continuation);
          assert.deepEqual(idsOf(continuation.tokens), wanted[i].ids);
          allNear(continuation.tokens.map(({ probability }) => probability), wanted[i].probabilities, 'token');
          near(continuation.score, wanted[i].score, 5e-5, 'score');
          const { prefix } = wanted[i];
          const explained = model.explain(source, { beamSize, prefix }, undefined);
          assert.deepEqual(explained.target.tokens, continuation.tokens);
          assert.equal(explained.target.text, continuation.text);
        });
      }
    }
    assert.deepEqual(model.continuations('狗', [], {}), []);
  },

  'score: one target for many sources'() {
    for (const { target, scored } of expected) {
      const found = model.score(scored.map(({ source }) => source), target);
      assert.equal(found.length, scored.length);
      found.forEach((probabilities, i) => {
        assert.ok(probabilities instanceof Float32Array);
        assert.equal(probabilities.buffer.byteLength, probabilities.byteLength); // its own, to transfer
        allNear(probabilities, scored[i].probabilities, scored[i].source);
      });
    }
  },

  'wrong input: one Error that says what'() {
    const cases = [
      [() => model.continuations('狗', [[5], [1e9]], {}), /^prefix 1: id 1000000000 at position 0 is not among/],
      [() => model.continuations('狗', [[5, -1]], {}), /^prefix 0: id -1 at position 1/],
      [() => model.continuations('狗', [[5, EOS]], {}), /^prefix 0: holds the end symbol at position 1/],
      [() => model.continuations('狗', [Array(64).fill(5)], {}), /^prefix 0: 64 ids leave no room/],
      [() => model.continuations('狗', [[5, 1.5]], {}), /^prefix 0: the id at position 1: not a whole number/],
      [() => model.continuations('狗', [['5']], {}), /^prefix 0: the id at position 0: not a whole number/],
      [() => model.continuations('狗', [5], {}), /^prefix 0: not an array of token ids/],
      [() => model.continuations('狗', 5, {}), /^prefixes: not an array/],
      [() => model.explain('狗', { prefix: [NaN] }, undefined), /^prefix: the id at position 0/],
      [() => model.explain('狗', { prefix: [EOS] }, undefined), /^prefix: holds the end symbol/],
      [() => model.explain('狗', { prefix: [5] }, 'dog'), /^prefix: has no part where the target is given/],
      [() => model.explain('狗', { candidates: -1 }, undefined), /^candidates: -1 is not between 0 and/],
      [() => model.explain('狗', { candidates: 125 }, undefined), /^candidates: 125 is not between/],
      [() => model.explain('狗', { candidates: 2.5 }, undefined), /^candidates: not a whole number/],
      [() => model.explain('狗', { candidates: '3' }, undefined), /^candidates: not a whole number/],
      [() => model.score(['狗'], [4000]), /^target: id 4000 at position 0/],
      [() => model.score(['狗', '狗'.repeat(200)], [5]), /^text 1: 2\d\d tokens are more than/],
      [() => model.start(['狗'], { nbest: 0 }), /^n-best: must be at least 1/],
    ];
    for (const [call, message] of cases) assert.throws(call, { name: 'Error', message });
    assert.equal(model.translate(['狗追猫。'], {})[0][0].text, 'The dog chases the cat.'); // and it goes on
  },
};

let passed = 0;
let failed = 0;
for (const [name, run] of Object.entries(tests)) {
  try {
    run();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}\n${String(error.stack).replace(/^/gm, '      ')}`);
  }
}
model.delete();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
