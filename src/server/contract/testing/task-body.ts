/** The body of a task that waits, with changes; a field set to undefined is left out. */
export function taskBody(change: object = {}): object {
  return {
    title: 'disk full',
    account: 'root',
    batch: 0,
    tolerance: 0,
    timeout: 30,
    pause: '',
    script: '#!/bin/sh\ndf -h',
    args: '',
    action: 'pause',
    creator: 'ops',
    hosts: ['web-01'],
    ...change,
  };
}

let used = 0;

/** A creator that no other test has. */
export function newCreator(): string {
  return `creator-${++used}`;
}
