/**
 * The tables as a Go ibex has made them: versions differ in the stdin column, which came with 1.1 or later, and
 * databases in the character set that their tables were made in.
 */
export function goTables(
  stdin: 'none' | 'varchar' | 'mediumtext',
  charset = 'utf8mb4 COLLATE utf8mb4_general_ci',
): readonly string[] {
  const text = `CHARACTER SET ${charset}`;
  const end = `ENGINE=InnoDB DEFAULT CHARSET=${charset}`;
  return [
    `create table task_meta (
      id bigint unsigned not null auto_increment,
      title varchar(255) ${text} not null default '',
      account varchar(64) not null,
      batch int unsigned not null default 0,
      tolerance int unsigned not null default 0,
      timeout int unsigned not null default 0,
      pause varchar(255) not null default '',
      script text not null,
      args varchar(512) not null default '',
      ${STDIN[stdin]}
      creator varchar(64) not null default '',
      created timestamp not null default current_timestamp,
      primary key (id), key (creator), key (created)
    ) ${end}`,
    `create table task_action (
      id bigint unsigned not null, action varchar(32) not null, clock bigint not null default 0, primary key (id)
    ) ${end}`,
    `create table task_scheduler (
      id bigint unsigned not null, scheduler varchar(128) not null default '', key (id, scheduler)
    ) ${end}`,
    `create table task_scheduler_health (
      scheduler varchar(128) not null, clock bigint not null, unique key (scheduler), key (clock)
    ) ${end}`,
    `create table task_host_doing (
      id bigint unsigned not null, host varchar(128) not null, clock bigint not null default 0,
      action varchar(16) not null, key (id), key (host)
    ) ${end}`,
    ...Array.from(
      { length: 100 },
      (_, table) => `create table task_host_${table} (
        ii bigint unsigned not null auto_increment, id bigint unsigned not null, host varchar(128) not null,
        status varchar(32) not null, stdout text, stderr text, unique key (id, host), primary key (ii)
      ) ${end}`,
    ),
  ];
}

const STDIN = { none: '', varchar: "stdin varchar(1024) not null default '',", mediumtext: 'stdin mediumtext,' };

/** Task 7 is done; task 8 is under way: web-01 runs, Web-02 waits. */
export const GO_TASKS: readonly string[] = [
  `insert into task_meta (id, title, account, batch, tolerance, timeout, script, args, creator, created)
   values (7, 'old FH: web-01', 'root', 1, 0, 30, 'echo é', 'x', 'qinyening', from_unixtime(1700000000)),
          (8, 'open FH: web-01', 'root', 1, 0, 30, 'echo 2', '', 'qinyening', from_unixtime(1700000001))`,
  `insert into task_host_7 (id, host, status, stdout, stderr) values (7, 'web-01', 'success', 'hello', null)`,
  `insert into task_host_8 (id, host, status) values (8, 'web-01', 'running'), (8, 'Web-02', 'waiting')`,
  `insert into task_host_doing (id, host, clock, action) values (8, 'web-01', 1700000002, 'start')`,
  `insert into task_action (id, action, clock) values (8, 'start', 1700000001)`,
  `insert into task_scheduler (id, scheduler) values (8, '10.0.0.1:20090')`,
];
