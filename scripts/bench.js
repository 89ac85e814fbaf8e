import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, install, projectRoot, runtime } from './project.js';

// `npm run bench -- ...`: builds ibex and the bench, and asks its questions; --help lists them.
install();
build();
const tsc = spawnSync(runtime, [join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', 'bench'], {
  cwd: projectRoot,
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
const main = join(projectRoot, '.build-bench/bench/main.js');
const bench = spawnSync(runtime, [main, ...process.argv.slice(2)], { cwd: projectRoot, stdio: 'inherit' });
process.exit(bench.status ?? 1);
