import assert from 'node:assert/strict';
import { it } from 'node:test';
import { TakeoverFinder } from './takeover.js';

const ME = '10.0.0.1:20090';

function task(taskId: number, scheduler: string | undefined) {
  return { taskId, action: 'start', actionClock: 1, scheduler };
}

it('takes what nobody has and what the dead had, and leaves the living theirs', () => {
  const tasks = [task(1, ''), task(2, 'dead:1'), task(3, 'lives:1'), task(4, ME), task(5, 'dead:1')];
  const silence = new Map([
    ['dead:1', 10_000],
    ['lives:1', 9_000],
    [ME, 60_000],
  ]);
  const claims = new TakeoverFinder().find({ tasks }, { scheduler: ME, silence, inMemory: () => true });
  assert.deepEqual(claims, {
    ownedBy: new Map([
      ['', [1]],
      ['dead:1', [2, 5]],
    ]),
    stray: [],
    missing: [],
  });
});

it('believes only twice in a row what rows between two states look like, too', () => {
  const tasks = [task(1, undefined), task(2, ME), task(3, 'unheard:1')];
  const context = { scheduler: ME, silence: new Map<string, number>(), inMemory: () => false };
  const finder = new TakeoverFinder();
  assert.deepEqual(finder.find({ tasks }, context), { ownedBy: new Map(), stray: [], missing: [] });
  assert.deepEqual(finder.find({ tasks }, context), {
    ownedBy: new Map([['unheard:1', [3]]]),
    stray: [1],
    missing: [2],
  });
  finder.find({ tasks: [] }, context);
  assert.deepEqual(finder.find({ tasks }, context), { ownedBy: new Map(), stray: [], missing: [] });
});
