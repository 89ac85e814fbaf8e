import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { bench, type Bench, type Finished } from './testing/executor-bench.js';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-helpers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Scripts whose output flows through another process, with what they print of each line. */
const FORMS = [
  ['exec > >(tee -a $L) 2>&1', 'stdout'],
  ['exec > >(cat)', 'stdout'],
  ['exec > >(while read -r l; do echo "$l"; done)', 'stdout'],
  ['exec 2> >(tee -a $L >&2); exec >&2', 'stderr'],
  ['exec > >(sleep 1; cat)', 'stdout'],
  ['exec > >(grep --line-buffered . | sed -u "s/$//" | tee -a $L)', 'stdout'],
  ['mkfifo $L.p; tee -a $L <$L.p & exec >$L.p 2>&1', 'stdout'],
] as const;

for (const terminal of [true, false]) {
  const kind = terminal ? 'on a terminal' : 'without a terminal';
  for (const [form, stream] of FORMS) {
    test(`${kind}, what goes through a helper is kept whole: ${form}`, async (t) => {
      const b = bench(t);
      const folder = folderOf(t);
      const runs = Array.from({ length: 8 }, (_, i) =>
        b.start(`#!/bin/bash\nL=${folder}/${i}\n${form}\necho a; ${i % 2 === 0 ? '' : 'sleep 0.5;'} echo b; echo c`, {
          terminal,
        }),
      );
      for (const run of runs) {
        const end = await b.finished(run);
        assert.deepEqual([end.status, end[stream].toString()], ['success', 'a\nb\nc\n']);
        assert.deepEqual([end.stdoutTruncated, end.stderrTruncated], [false, false]);
      }
    });
  }

  test(`${kind}, a helper that never ends is given up, and the stream marked`, async (t) => {
    const b = bench(t);
    const ends = await Promise.all(
      ['exec > >(sleep 29)', 'exec 2> >(sleep 29 >&2)'].map((form) =>
        b.finished(b.start(`#!/bin/bash\n${form}\necho lost; echo lost >&2`, { terminal })),
      ),
    );
    assert.deepEqual(
      ends.map((end) => [end.status, end.stdoutTruncated, end.stderrTruncated]),
      [
        ['success', true, false],
        ['success', false, true],
      ],
    );
    await endLeftovers(b);
  });

  test(`${kind}, processes left in the background are not waited for`, async (t) => {
    const b = bench(t);
    const leave = ['sleep 29 &', 'nohup sleep 29 &', 'setsid sleep 29 &', '(setsid sleep 29 &)'];
    for (const left of leave) {
      const end: Finished = await b.finished(b.start(`${left}\necho done`, { terminal }));
      assert.deepEqual([end.status, end.stdoutTruncated, end.stderrTruncated], ['success', false, false], left);
      assert.match(end.stdout.toString(), /^done\n/);
    }
    await endLeftovers(b);
  });

  test(`${kind}, a helper that waits for another process than the script is not waited for`, async (t) => {
    const b = bench(t);
    const folder = folderOf(t);
    const end = await b.finished(
      b.start(`#!/bin/bash\nexec > >(tee ${folder}/log) 2>&1\nsleep 29 & echo a; seq 20000; echo z`, { terminal }),
    );
    const whole = `a\n${Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join('')}z\n`;
    assert.equal(end.stdout.toString(), whole);
    assert.equal(readFileSync(join(folder, 'log'), 'utf8'), whole);
    assert.equal(end.stdoutTruncated, false);
    await endLeftovers(b);
  });
}

/** Ends what the scripts have left behind. */
async function endLeftovers(b: Bench): Promise<void> {
  await b.executor.stop();
}
