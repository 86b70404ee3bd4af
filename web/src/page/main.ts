// The page: finds the models, loads the one for the chosen direction, and joins its parts.

import { Client } from '../lib/client';
import { isKept, loadIndex, type ModelInfo, totalBytes } from '../lib/models';
import { isAbort, type Loaded, TranslucentError } from '../lib/protocol';
import { hideAlert, showAlert } from './alert';
import { mountAttention } from './attention';
import { byId } from './dom';
import { formatBytes, formatScores } from './format';
import { messages, onLanguage } from './i18n';
import { InsidePanel } from './inside';
import { mountOffline } from './offline/offline';
import { mountShell } from './shell';
import { Translate } from './translate';

const text = messages({
  en: {
    loading: 'Loading the model',
    loadingBytes: (loaded: string, total: string) => `Loading the model: ${loaded} of ${total}`,
    starting: 'Starting the model',
    stopped: (why: string) => `The translator stopped: ${why}`,
    notTranslated: (why: string) => `This text could not be translated: ${why}`,
    noModels: (why: string) => `The models could not be found: ${why}`,
    notLoaded: (why: string) => `The model could not be loaded: ${why}`,
    model: (name: string) => `Model ${name}`,
    licence: (name: string) => `licence ${name}`,
    own: 'runs on your machine',
    card: 'model card',
    engine: (variant: string, kernels: string, threads: number) =>
      `Engine ${variant}: kernels ${kernels}, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
  },
  de: {
    loading: 'Das Modell wird geladen',
    loadingBytes: (loaded: string, total: string) => `Das Modell wird geladen: ${loaded} von ${total}`,
    starting: 'Das Modell startet',
    stopped: (why: string) => `Der Übersetzer ist stehen geblieben: ${why}`,
    notTranslated: (why: string) => `Dieser Text ließ sich nicht übersetzen: ${why}`,
    noModels: (why: string) => `Die Modelle wurden nicht gefunden: ${why}`,
    notLoaded: (why: string) => `Das Modell ließ sich nicht laden: ${why}`,
    model: (name: string) => `Modell ${name}`,
    licence: (name: string) => `Lizenz ${name}`,
    own: 'läuft auf Ihrem Gerät',
    card: 'Modellkarte',
    engine: (variant: string, kernels: string, threads: number) =>
      `Engine ${variant}: Kernel ${kernels}, ${threads === 1 ? 'ein Thread' : `${threads} Threads`}`,
  },
  zh: {
    loading: '正在加载模型',
    loadingBytes: (loaded: string, total: string) => `正在加载模型：${loaded} / ${total}`,
    starting: '正在启动模型',
    stopped: (why: string) => `翻译器已停止：${why}`,
    notTranslated: (why: string) => `这段文字无法翻译：${why}`,
    noModels: (why: string) => `找不到模型：${why}`,
    notLoaded: (why: string) => `模型无法加载：${why}`,
    model: (name: string) => `模型 ${name}`,
    licence: (name: string) => `许可 ${name}`,
    own: '在您的设备上运行',
    card: '模型说明',
    engine: (variant: string, kernels: string, threads: number) => `引擎 ${variant}：内核 ${kernels}，${threads} 个线程`,
  },
});

/** A text of several languages is none of them. */
const kSure = 0.5;

mountShell();

const base = new URL('models/', document.baseURI).href;
const client = new Client();
let loading: AbortController | null = null;
let engine: Loaded | null = null;
let pageKept = false;
let waitingFor = (): string => '';

const translate = new Translate(
  {
    onModel: (model) => {
      attention.stop();
      inside.stop();
      describe();
      void load(model);
    },
    onTranslated: (translated, caret) => {
      if (translated) hideAlert();
      attention.follow(translated, caret);
      inside.follow(translated, caret);
    },
    onCaret: (text, caret) => {
      attention.moveTo(text, caret);
      inside.moveTo(text, caret);
    },
    onPartial: (text, partial) => attention.grow(text, partial),
    onFailure: fail,
  },
  async (text) => {
    const { detect } = await import('../lib/detect');
    const [best] = detect(text).languages;
    return best && best[1] >= kSure ? best[0] : null;
  },
);
const attention = mountAttention(byId('attention'), {
  onSentence: (index) => translate.mark(index),
  onFailure: (error) => {
    if (isCrash(error)) fail(error);
  },
});

const inside = new InsidePanel(byId('inside'), {
  onFailure: (error) => {
    if (isCrash(error)) fail(error);
  },
});

function isCrash(error: Error): boolean {
  return error instanceof TranslucentError && error.kind === 'crashed';
}

function fail(error: Error): void {
  if (isCrash(error)) {
    translate.stop();
    attention.stop();
    inside.stop();
    showAlert(text().stopped(error.message), () => void start());
  } else {
    showAlert(text().notTranslated(error.message));
  }
}

async function start(): Promise<void> {
  waiting(() => text().loading);
  try {
    const model = await translate.begin(await loadIndex(base));
    describe();
    await load(model);
  } catch (error) {
    byId('loading').hidden = true;
    showAlert(text().noModels((error as Error).message), () => void start());
  }
}

/** Makes `model` the one that translates; a load under way is given up. */
async function load(model: ModelInfo): Promise<void> {
  loading?.abort();
  const { signal } = (loading = new AbortController());
  hideAlert();
  waiting(() => text().loading);
  const bar = byId<HTMLProgressElement>('loading-bar');
  bar.removeAttribute('value');
  try {
    engine = await client.load(model, {
      base,
      signal,
      onProgress: (loaded, total) => {
        if (signal.aborted) return;
        bar.value = total > 0 ? loaded / total : 1;
        waiting(() =>
          loaded < total ? text().loadingBytes(formatBytes(loaded), formatBytes(total)) : text().starting,
        );
      },
    });
    if (signal.aborted) return;
    byId('loading').hidden = true;
    describe();
    attention.start(client);
    inside.start(client, engine, model.source);
    translate.start(client, engine);
    void checkOffline();
  } catch (error) {
    if (signal.aborted || isAbort(error)) return; // another direction was chosen meanwhile
    byId('loading').hidden = true;
    showAlert(text().notLoaded((error as Error).message), () => void load(model));
  }
}

/** What the visitor waits for, in whatever language the page is by then. */
function waiting(message: () => string): void {
  waitingFor = message;
  byId('loading').hidden = false;
  byId('loading-text').textContent = message();
}

/** Name, size, scores and licence of the model, and the build of the engine, at the foot. */
function describe(): void {
  const { model } = translate;
  byId('loading-text').textContent = waitingFor();
  if (engine) {
    byId('engine-line').textContent = text().engine(engine.variant, engine.instructionSet, engine.threads);
  }
  if (!model) return;
  attention.languages(model.source, model.target);
  const facts = [
    text().model(model.name),
    formatBytes(totalBytes(model)),
    ...formatScores(model.scores),
    model.licence && text().licence(model.licence),
    text().own,
  ].filter(Boolean);
  const line = byId('model-line');
  line.replaceChildren(facts.join(' · '));
  if (model.card !== undefined) {
    const card = document.createElement('a');
    card.href = new URL(model.card, base).href;
    card.textContent = text().card;
    line.append(' · ', card);
  }
}

onLanguage(describe);
void start();
void mountOffline({
  onReady: () => {
    pageKept = true;
    void checkOffline();
  },
  onUpdate: (replace) => translate.offer(replace),
  onReload: () => translate.keepText(),
});

/** Offline takes both: the page, which the service worker keeps, and the model that is chosen. */
async function checkOffline(): Promise<void> {
  const { model } = translate;
  translate.offline = pageKept && model !== null && (await isKept(base, model));
}
