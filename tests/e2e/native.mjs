// The native command line: what the page's answers are compared with.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** TRANSLUCENT_MODELS and TRANSLUCENT_CLI: another models folder, another binary, in development. */
export const models = process.env.TRANSLUCENT_MODELS;
const modelsFolder = models ?? at('../../web/public/models');
const binary = process.env.TRANSLUCENT_CLI ?? at('../../build/native/translucent');

/** Every model of the index. */
export async function findModels() {
  if (!existsSync(binary)) throw new Error(`${binary}: not there; build the native preset first`);
  const index = JSON.parse(await readFile(join(modelsFolder, 'index.json'), 'utf8'));
  return index.models.map((info) => ({ info, folder: join(modelsFolder, info.id), modelsFolder }));
}

/** One translation for each text. */
export async function translate(folder, texts) {
  const output = await run(['translate', '--model', folder], `${texts.join('\n')}\n`);
  const lines = output.replace(/\n$/, '').split('\n');
  if (lines.length !== texts.length) throw new Error(`translate: ${lines.length} lines for ${texts.length}`);
  return lines;
}

/** The `nbest` best translations of a text by a search that keeps `beam`: {text, score}, best first. */
export async function best(folder, text, beam, nbest) {
  const output = await run(['translate', '--model', folder, '--beam', String(beam), '--nbest', String(nbest), '--format', 'jsonl'], `${text}\n`);
  return JSON.parse(output).candidates;
}

/** The object of `attention --format json`. */
export async function attention(folder, text) {
  return JSON.parse(await run(['attention', '--model', folder, '--format', 'json', text]));
}

function run(parameters, input = '') {
  return new Promise((done, failed) => {
    const child = execFile(binary, parameters, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error) failed(new Error(`translucent ${parameters[0]}: ${stderr || error.message}`));
      else done(stdout);
    });
    child.stdin.on('error', () => {}); // it ended before it read everything; its exit status tells
    child.stdin.end(input);
  });
}
