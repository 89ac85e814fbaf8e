import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessStat } from '../runs/process-identity.js';
import { ScriptTree } from './script-tree.js';

const LAUNCHER = process_(10, { parent: 2, session: 10, group: 10 });
const SCRIPT = process_(20, { parent: 10, session: 20, group: 20 });
const STRANGER = process_(90, { parent: 1, session: 90, group: 90 });

function process_(pid: number, more: Partial<ProcessStat> & { readonly parent: number }): ProcessStat {
  return { pid, startTime: `t${pid}`, state: 'S', group: pid, session: pid, ...more };
}

function pids(tree: ScriptTree, table: readonly ProcessStat[]): number[] {
  return tree
    .sweep([LAUNCHER, STRANGER, ...table])
    .map((process) => process.pid)
    .sort((a, b) => a - b);
}

function treeOf(): ScriptTree {
  return new ScriptTree(SCRIPT, LAUNCHER, 2);
}

test('the script, its children and their children, in whatever session', () => {
  const child = process_(21, { parent: 20, session: 20, group: 20 });
  const suChild = process_(22, { parent: 21 });
  assert.deepEqual(pids(treeOf(), [SCRIPT, child, suChild]), [20, 21, 22]);
});

test('an orphan of the script still is in its session', () => {
  assert.deepEqual(pids(treeOf(), [SCRIPT, process_(30, { parent: 1, session: 20, group: 30 })]), [20, 30]);
});

test('what was once seen stays a target, also after it has left session and tree', () => {
  const tree = treeOf();
  const child = process_(21, { parent: 20, session: 20, group: 20 });
  assert.deepEqual(pids(tree, [SCRIPT, child]), [20, 21]);
  assert.deepEqual(pids(tree, [{ ...child, parent: 1, session: 21, group: 21 }]), [21]);
});

test('children that a member leaves behind in its own session are found later', () => {
  const tree = treeOf();
  const own = process_(21, { parent: 20 });
  assert.deepEqual(pids(tree, [SCRIPT, own]), [20, 21]);
  assert.deepEqual(pids(tree, [process_(25, { parent: 1, session: 21, group: 25 })]), [25]);
});

test('a daemon that had left before is left alone', () => {
  assert.deepEqual(pids(treeOf(), [SCRIPT, process_(40, { parent: 1, session: 40, group: 40 })]), [20]);
});

test('a pid given to another process is not the script', () => {
  assert.deepEqual(pids(treeOf(), [{ ...SCRIPT, startTime: 'later', parent: 1, session: 5, group: 5 }]), []);
});

test('zombies do not count, their children do', () => {
  const child = process_(21, { parent: 20, session: 20, group: 20 });
  assert.deepEqual(pids(treeOf(), [{ ...SCRIPT, state: 'Z' }, child]), [21]);
});

test('before setsid the script shares the session of the launcher, whose processes are no targets', () => {
  const tree = treeOf();
  const forked = { ...SCRIPT, session: 10, group: 10 };
  const stty = process_(19, { parent: 10, session: 10, group: 10 });
  assert.deepEqual(pids(tree, [forked, stty]), [20]);
});
