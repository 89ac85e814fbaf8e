import { importsBySource } from './imports.js';
import { servesTests } from './project.js';

/**
 * Which folders a folder may import, types included; each stands above those that import it, so no two import each
 * other. The files beside them put the parts together: they import any folder, and no folder imports them.
 * @type {Record<string, Record<string, readonly string[]>>}
 */
const FOLDERS = {
  'src/server': {
    core: [],
    net: [],
    port: ['net'],
    store: ['core'],
    peers: ['core', 'store'],
    config: ['net', 'store', 'peers'],
    tasks: ['core', 'store', 'peers'],
    agents: ['core', 'net', 'store', 'peers', 'tasks'],
    http: ['core', 'net', 'store', 'tasks', 'agents'],
    tail: ['core', 'net', 'store', 'tasks', 'agents', 'http'],
    // Nobody imports it, so that it can go when the last agents of its kind have gone.
    legacy: ['core', 'net', 'store', 'tasks', 'agents'],
  },
  'src/agent': {
    runs: [],
    executor: ['runs'],
    link: ['runs'],
  },
  'src/cli': {
    api: [],
    hosts: [],
    run: ['api', 'hosts'],
    tail: ['api'],
  },
};

const complaints = [...importsBySource()]
  .filter(([importer]) => !servesTests(importer))
  .flatMap(([importer, imports]) => imports.flatMap((imported) => complaint(importer, imported) ?? []));
for (const [side, folders] of Object.entries(FOLDERS)) {
  const above = new Set();
  for (const [folder, allowed] of Object.entries(folders)) {
    for (const name of allowed) if (!above.has(name)) complaints.push(`${side}: ${folder} stands above ${name}`);
    above.add(folder);
  }
}
for (const line of complaints) console.error(line);
if (complaints.length > 0) {
  console.error(`scripts/check-imports.js says which folder may import which`);
  process.exitCode = 1;
}

/**
 * @param {string} importer
 * @param {string} imported
 * @returns {string | undefined}
 */
function complaint(importer, imported) {
  if (servesTests(imported)) return `${importer} imports ${imported}, which serves tests`;
  const [side, from] = placeOf(importer);
  const [otherSide, to] = placeOf(imported);
  const folders = FOLDERS[side];
  if (folders === undefined || from === undefined || side !== otherSide || from === to) return undefined;
  const allowed = folders[from];
  if (allowed === undefined) return `${side}/${from} is not in the list of folders`;
  if (to !== undefined && allowed.includes(to)) return undefined;
  return `${importer} imports ${imported}: ${side}/${from} may not import ${to ?? `the files of ${side}`}`;
}

/**
 * The side of a file and the folder of that side, undefined for the files beside the folders.
 * @param {string} path
 * @returns {readonly [string, string | undefined]}
 */
function placeOf(path) {
  const [src, side, ...rest] = path.split('/');
  return [`${src}/${side}`, rest.length > 1 ? rest[0] : undefined];
}
