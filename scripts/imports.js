import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { filesBelow, projectRoot } from './project.js';

/** Type imports too. */
const SPECIFIER = /(?:\bfrom|\bimport\(|\bimport)\s*'(\.[^']+)'/g;

/**
 * What each file of src imports of src, types included; paths are relative to the checkout.
 * @returns {Map<string, string[]>}
 */
export function importsBySource() {
  const sources = filesBelow('src').filter((name) => name.endsWith('.ts'));
  return new Map(sources.map((name) => join('src', name)).map((name) => [name, importsOf(name)]));
}

/** @param {string} source */
function importsOf(source) {
  const text = readFileSync(join(projectRoot, source), 'utf8');
  const specifiers = [...text.matchAll(SPECIFIER)].map(([, specifier = '']) => specifier);
  return specifiers.map((specifier) => normalize(join(dirname(source), specifier)).replace(/\.js$/, '.ts'));
}
