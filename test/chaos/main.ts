import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { buildIfStale, install } from '../../scripts/project.js';
import { chaos } from './chaos.ts';
import { openMariadb, SQLITE } from './database.ts';
import { reportLines } from './report.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    agents: { type: 'string', default: '4' },
    database: { type: 'string', default: 'sqlite' },
    /** endless loops beside, for a machine that is too busy */
    load: { type: 'string', default: '0' },
  },
});
if (values.database !== 'sqlite' && values.database !== 'mysql') throw new Error('--database is sqlite or mysql');
install();
buildIfStale();
const options = {
  durationMs: Number(values.minutes) * 60_000,
  seed: Number(values.seed),
  agents: Number(values.agents),
  taskEveryMs: 250,
  disturbEveryMs: 900,
  database: values.database === 'mysql' ? await openMariadb() : SQLITE,
};
const loops = Array.from({ length: Number(values.load) }, () => spawn('sh', ['-c', 'while kill -0 $PPID; do :; done']));
process.on('exit', () => loops.forEach((loop) => loop.kill('SIGKILL')));
console.log(
  `chaos: ${values.minutes} minutes, seed ${values.seed}, ${values.agents} agents, ${values.database}, load ${values.load}`,
);
const report = await chaos(options, (line) => console.log(line));
await options.database[Symbol.asyncDispose]();
for (const line of reportLines(report)) console.log(line);
process.exit(report.wrong.length === 0 ? 0 : 1);
