import assert from 'node:assert/strict';
import { it } from 'node:test';
import { findTakeovers, type Takeovers } from './takeover.js';

const ME = '10.0.0.1:20090';
const NOTHING = new Set<string>();

function task(taskId: number, scheduler: string | undefined) {
  return { taskId, action: 'start', actionClock: 1, scheduler };
}

function found({ ownedBy, stray, missing }: Takeovers) {
  return { ownedBy: Object.fromEntries(ownedBy), stray, missing };
}

it('takes what nobody owns and what the dead owned, and leaves the living theirs', () => {
  const tasks = [task(1, ''), task(2, 'dead:1'), task(3, 'lives:1'), task(4, ME), task(5, 'dead:1')];
  const silence = new Map([
    ['dead:1', 10_000],
    ['lives:1', 9_000],
    [ME, 60_000],
  ]);
  const takeovers = findTakeovers({ tasks }, { scheduler: ME, silence, inMemory: () => true, doubtful: NOTHING });
  assert.deepEqual(found(takeovers), { ownedBy: { '': [1], 'dead:1': [2, 5] }, stray: [], missing: [] });
});

it('believes only twice in a row what rows between two states look like, too', () => {
  const tasks = [task(1, undefined), task(2, ME), task(3, 'unheard:1')];
  const context = { scheduler: ME, silence: new Map<string, number>(), inMemory: () => false };
  const nothing = { ownedBy: {}, stray: [], missing: [] };
  const first = findTakeovers({ tasks }, { ...context, doubtful: NOTHING });
  assert.deepEqual(found(first), nothing);
  const second = findTakeovers({ tasks }, { ...context, doubtful: first.doubtful });
  assert.deepEqual(found(second), { ownedBy: { 'unheard:1': [3] }, stray: [1], missing: [2] });
  const gone = findTakeovers({ tasks: [] }, { ...context, doubtful: second.doubtful });
  assert.deepEqual(found(findTakeovers({ tasks }, { ...context, doubtful: gone.doubtful })), nothing);
});
