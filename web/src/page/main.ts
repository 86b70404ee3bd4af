// The page: finds the models, loads the one for the chosen direction, and joins panes and attention.

import { Client } from '../lib/client';
import { loadIndex, type ModelInfo, totalBytes } from '../lib/models';
import { isAbort, type Loaded, TranslucentError } from '../lib/protocol';
import { hideAlert, showAlert } from './alert';
import { AttentionPanel } from './attention-panel';
import { Direction } from './direction';
import { byId } from './dom';
import { examplesOf, isExample } from './examples';
import { formatBytes, formatScores, languageName } from './format';
import { TranslatorPane } from './translator-pane';

const base = new URL('models/', document.baseURI).href;
const client = new Client();

const pane = new TranslatorPane({
  onTranslated: (translated) => {
    hideAlert();
    panel.follow(translated, pane.caret);
  },
  onCaret: () => panel.moveTo(pane.text, pane.caret),
  onFailure: fail,
});
const panel = new AttentionPanel({
  onSentence: (index) => pane.mark(index),
  onFailure: (error) => {
    if (isCrash(error)) fail(error);
  },
});

const direction = new Direction({
  onChange: (model, swapped) => {
    const text = swapped ? pane.translation : pane.text;
    pane.stop();
    panel.stop();
    pane.clear();
    show(model);
    // What the visitor wrote stays; an example of the other language would not be one here.
    pane.text = isExample(pane.text) && !swapped ? examplesOf(model.source)[0]! : text;
    void load(model);
  },
});

let loading: AbortController | null = null;

function isCrash(error: Error): boolean {
  return error instanceof TranslucentError && error.kind === 'crashed';
}

function fail(error: Error): void {
  if (isCrash(error)) {
    pane.stop();
    panel.stop();
    showAlert(`The translator stopped: ${error.message}`, () => void start());
  } else {
    showAlert(`This text could not be translated: ${error.message}`);
  }
}

async function start(): Promise<void> {
  waiting('Loading the model');
  try {
    const model = direction.start(await loadIndex(base));
    show(model);
    if (pane.text === '') begin(model);
    await load(model);
  } catch (error) {
    byId('loading').hidden = true;
    showAlert(`The models could not be found: ${(error as Error).message}`, () => void start());
  }
}

/** Makes `model` the one that translates; a load under way is given up. */
async function load(model: ModelInfo): Promise<void> {
  loading?.abort();
  const { signal } = (loading = new AbortController());
  hideAlert();
  waiting('Loading the model');
  const bar = byId<HTMLProgressElement>('loading-bar');
  try {
    const engine = await client.load(model, {
      base,
      signal,
      onProgress: (loaded, total) => {
        if (signal.aborted) return;
        bar.value = total > 0 ? loaded / total : 1;
        byId('loading-text').textContent =
          loaded < total
            ? `Loading the model: ${formatBytes(loaded)} of ${formatBytes(total)}`
            : 'Starting the model';
      },
    });
    if (signal.aborted) return;
    byId('loading').hidden = true;
    byId('engine-line').textContent = describeEngine(engine);
    panel.start(client);
    pane.start(client);
  } catch (error) {
    if (signal.aborted || isAbort(error)) return; // another direction was chosen meanwhile
    byId('loading').hidden = true;
    const { message } = error as Error;
    showAlert(`The model could not be loaded: ${message}`, () => void load(model));
  }
}

function waiting(text: string): void {
  byId('loading').hidden = false;
  byId('loading-text').textContent = text;
  byId('loading-bar').removeAttribute('value');
}

/** Which build of the engine answers. */
function describeEngine({ variant, instructionSet, threads }: Loaded): string {
  return `Engine ${variant}: kernels ${instructionSet}, ${threads === 1 ? 'one thread' : `${threads} threads`}`;
}

/** Languages and examples of the panes; name, size, scores and licence at the foot. */
function show(model: ModelInfo): void {
  byId('source-language').textContent = `Text in ${languageName(model.source)}`;
  byId('target-language').textContent = `Translation into ${languageName(model.target)}`;
  byId('source').lang = model.source;
  byId('translation').lang = model.target;
  byId('explained-source').lang = model.source;
  byId('explained-target').lang = model.target;
  byId('examples').replaceChildren(
    ...examplesOf(model.source).map((text) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'example';
      button.lang = model.source;
      button.textContent = text;
      button.addEventListener('click', () => {
        pane.text = text;
      });
      return button;
    }),
  );
  const facts = [
    `Model ${model.name}`,
    formatBytes(totalBytes(model)),
    ...formatScores(model.scores),
    model.licence && `licence ${model.licence}`,
    'runs on your machine',
  ].filter(Boolean);
  const line = byId('model-line');
  line.replaceChildren(facts.join(' · '));
  if (model.card !== undefined) {
    const card = document.createElement('a');
    card.href = new URL(model.card, base).href;
    card.textContent = 'model card';
    line.append(' · ', card);
  }
}

// Something to look at from the first second; selected, so that typing replaces it. Not where it would
// bring up a keyboard over half the page.
function begin(model: ModelInfo): void {
  pane.text = examplesOf(model.source)[0]!;
  if (matchMedia('(pointer: fine)').matches) {
    const source = byId<HTMLTextAreaElement>('source');
    source.focus({ preventScroll: true });
    source.select();
  }
}

void start();
