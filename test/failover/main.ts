import { parseArgs } from 'node:util';
import { buildIfStale, install } from '../../scripts/project.js';
import { TestMysql } from '../harness/test-mysql.ts';
import { trials } from './trials.ts';

/*
 * `npm run failover -- [--trial NAME[,NAME...]] [--tasks N] [--seconds N]`: two servers on one MySQL database, real
 * agents, and one of them goes away. In full size these take minutes, so the tests only have them in small.
 */
const { values } = parseArgs({
  options: {
    trial: { type: 'string', default: Object.keys(trials).join(',') },
    tasks: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '30' },
  },
});
const missing = await TestMysql.missing();
if (missing !== false) throw new Error(missing);
install();
buildIfStale();
const options = {
  tasks: Number(values.tasks),
  awaySeconds: Number(values.seconds),
  log: (line: string) => console.log(`  ${line}`),
};
for (const name of values.trial.split(',')) {
  const trial = trials[name];
  if (!trial) throw new Error(`no trial ${name}; there are ${Object.keys(trials).join(', ')}`);
  console.log(`${name}: ${values.tasks} tasks, away for ${values.seconds} s`);
  await trial(options);
  console.log('  nothing wrong');
}
process.exit(0);
