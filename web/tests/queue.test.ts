import { describe, expect, it } from 'vitest';
import { type Job, Queue, type Steps } from '../src/lib/queue';

/** A queue whose pauses the test ends one by one: each turn() lets exactly one step happen. */
function manual() {
  const waiting: (() => void)[] = [];
  const log: string[] = [];
  const queue = new Queue(() => new Promise((resolve) => waiting.push(resolve)));
  const turn = async () => {
    waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const job = (id: number, steps: number, lane: string | null = null): Job<string> => ({
    id,
    lane,
    start: function* (): Steps<string> {
      for (let i = 1; i < steps; i++) {
        log.push(`${id}.${i}`);
        yield;
      }
      log.push(`${id}.${steps}`);
      return `result ${id}`;
    },
    done: (value) => log.push(`done: ${value}`),
    failed: (error) => log.push(`failed ${id}: ${(error as Error).message}`),
    dropped: () => log.push(`dropped ${id}`),
  });
  return { queue, log, turn, job };
}

describe('Queue', () => {
  it('does nothing before the pause is over, then one step a turn', async () => {
    const { queue, log, turn, job } = manual();
    queue.add(job(1, 2));
    expect(log).toEqual([]);
    await turn();
    expect(log).toEqual(['1.1']);
    await turn();
    expect(log).toEqual(['1.1', '1.2', 'done: result 1']);
    expect(queue.length).toBe(0);
  });

  it('takes jobs in turn, so that a short one does not wait for a long one', async () => {
    const { queue, log, turn, job } = manual();
    queue.add(job(1, 3));
    queue.add(job(2, 1));
    for (let i = 0; i < 4; i++) await turn();
    expect(log).toEqual(['1.1', '2.1', 'done: result 2', '1.2', '1.3', 'done: result 1']);
  });

  it('keeps only the newest job of a lane, begun or not, and leaves other lanes alone', async () => {
    const { queue, log, turn, job } = manual();
    queue.add(job(1, 3, 'typing'));
    queue.add(job(9, 2, 'explain'));
    await turn();
    queue.add(job(2, 1, 'typing'));
    queue.add(job(3, 1, 'typing'));
    expect(log).toEqual(['1.1', 'dropped 1', 'dropped 2']);
    for (let i = 0; i < 4; i++) await turn();
    expect(log.slice(3)).toEqual(['9.1', '3.1', 'done: result 3', '9.2', 'done: result 9']);
  });

  it('jobs without a lane never replace each other', async () => {
    const { queue, log, turn, job } = manual();
    queue.add(job(1, 1));
    queue.add(job(2, 1));
    await turn();
    await turn();
    expect(log).toEqual(['1.1', 'done: result 1', '2.1', 'done: result 2']);
  });

  it('cancels between steps and ignores ids it does not know', async () => {
    const { queue, log, turn, job } = manual();
    queue.add(job(1, 5));
    await turn();
    queue.cancel(7);
    queue.cancel(1);
    await turn();
    expect(log).toEqual(['1.1', 'dropped 1']);
  });

  it('reports a failing job and goes on with the next', async () => {
    const { queue, log, turn, job } = manual();
    queue.add({
      ...job(1, 1),
      start: () => {
        throw new Error('broken');
      },
    });
    queue.add(job(2, 1));
    await turn();
    await turn();
    expect(log).toEqual(['failed 1: broken', '2.1', 'done: result 2']);
  });

  it('starts again after it ran dry', async () => {
    const { queue, log, turn, job } = manual();
    queue.add(job(1, 1));
    await turn();
    await turn(); // finds nothing and stops
    queue.add(job(2, 1));
    await turn();
    expect(log).toEqual(['1.1', 'done: result 1', '2.1', 'done: result 2']);
  });
});
