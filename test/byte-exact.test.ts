import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { memoryBytes } from './harness/memory.ts';
import { systemTests } from './harness/system-test.ts';

const MIB = 1 << 20;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

systemTests(['web-01'], (check) => {
  check('50 MB of random bytes arrive as they were, through a server that does not grow by them', async (world) => {
    const bytes = randomBytes(50 * MIB);
    const file = world.write('random', bytes);
    const warm = await world.ibex('run', '--hosts', 'web-01', '--raw', '--', 'head', '-c', String(4 * MIB), file);
    assert.equal(warm.stdout.length, 4 * MIB);
    const beforeBytes = memoryBytes(world.server.pid);
    let peakBytes = 0;
    const timer = setInterval(() => (peakBytes = Math.max(peakBytes, memoryBytes(world.server.pid))), 50);
    const { code, stdout, stderr } = await world.ibex('run', '--hosts', 'web-01', '--raw', '--', 'cat', file);
    clearInterval(timer);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    assert.equal(stdout.length, bytes.length);
    assert.equal(sha256(stdout), sha256(bytes));
    // What the garbage collector has not looked for yet counts too: a copy of each frame makes this 25 to 34 MiB.
    assert.ok(peakBytes - beforeBytes < 20 * MIB, `the server grew by ${(peakBytes - beforeBytes) / MIB} MiB`);
  });

  check('stdout and stderr stay apart, both exact', async (world) => {
    const out = randomBytes(300_000);
    const err = randomBytes(300_000);
    const script = `cat ${world.write('out', out)} & cat ${world.write('err', err)} >&2; wait`;
    const id = await world.api.create({ script, hosts: ['web-01'] });
    const tail = world.start('tail', String(id), '--host', 'web-01', '--raw');
    const errors: Buffer[] = [];
    tail.child.stderr?.on('data', (data: Buffer) => errors.push(data));
    const { code, stdout } = await tail.ended;
    assert.equal(code, 0);
    assert.equal(sha256(stdout), sha256(out));
    assert.equal(sha256(Buffer.concat(errors)), sha256(err));
  });

  check('50 scripts that print 200 KB and end at once lose no byte', async (world) => {
    const text = randomBytes(150_000).toString('base64');
    const file = world.write('text', text);
    const wanted = sha256(Buffer.from(text));
    const ids: number[] = [];
    for (let i = 0; i < 50; i++) ids.push(await world.api.create({ script: `cat ${file}`, hosts: ['web-01'] }));
    const lost: number[] = [];
    for (const id of ids) {
      const { stdout } = await world.ibex('tail', String(id), '--raw');
      if (sha256(stdout) !== wanted) lost.push(stdout.length);
    }
    assert.deepEqual(lost, []);
  });

  check('stdin reaches the script exactly, with end of input', async (world) => {
    const stdin = `{"ident":"夜莺"}\n\x04\x03\x1b[0m\r\n${'x'.repeat(100_000)} no newline`;
    const file = world.write('stdin', stdin);
    const { code, stdout } = await world.ibex('run', '--hosts', 'web-01', '--raw', '--stdin', file, '--', 'cat');
    assert.equal(code, 0);
    assert.equal(stdout.toString(), stdin);
  });

  check('arguments arrive word by word', async (world) => {
    const script = world.write('args.sh', 'for a in "$@"; do printf "[%s]" "$a"; done\n');
    const { stdout } = await world.ibex('run', '--hosts', 'web-01', '--raw', script, '-v', 'two words', '$HOME', '*');
    assert.equal(stdout.toString(), '[-v][two words][$HOME][*]');
  });
});
