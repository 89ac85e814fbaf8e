-- The tables of ibex for MySQL and MariaDB:  mysql < sql/ibex.sql
-- Makes what is missing and touches nothing that is there, so it may be run again, also on the database of a Go ibex.
-- ibex makes them itself when it starts; this is for those whose server may not. Tables of a Go ibex are brought up to
-- date by the first start.

CREATE DATABASE IF NOT EXISTS `ibex` DEFAULT CHARACTER SET utf8mb4;
USE `ibex`;

-- A task as it was given; never changed.
CREATE TABLE IF NOT EXISTS `task_meta` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `title` varchar(255) NOT NULL DEFAULT '',
  `account` varchar(64) NOT NULL,
  `batch` int unsigned NOT NULL DEFAULT 0,
  `tolerance` int unsigned NOT NULL DEFAULT 0,
  `timeout` int unsigned NOT NULL DEFAULT 0 COMMENT 'seconds',
  `pause` varchar(255) NOT NULL DEFAULT '',
  `script` text NOT NULL,
  `args` varchar(512) NOT NULL DEFAULT '',
  `stdin` mediumtext,
  `creator` varchar(64) NOT NULL DEFAULT '',
  `created` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `creator` (`creator`, `created`),
  KEY `created` (`created`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- The action in force: start, cancel, kill or pause. Its row goes when the task is done.
CREATE TABLE IF NOT EXISTS `task_action` (
  `id` bigint unsigned NOT NULL,
  `action` varchar(32) NOT NULL,
  `clock` bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- The server that looks after a task; '' is nobody.
CREATE TABLE IF NOT EXISTS `task_scheduler` (
  `id` bigint unsigned NOT NULL,
  `scheduler` varchar(128) NOT NULL DEFAULT '',
  KEY `id` (`id`, `scheduler`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- When each server was last alive, unix seconds.
CREATE TABLE IF NOT EXISTS `task_scheduler_health` (
  `scheduler` varchar(128) NOT NULL,
  `clock` bigint NOT NULL,
  UNIQUE KEY `scheduler` (`scheduler`),
  KEY `clock` (`clock`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- What is in an agent's hands: a row from the start of a host's script to its result.
CREATE TABLE IF NOT EXISTS `task_host_doing` (
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `clock` bigint NOT NULL DEFAULT 0,
  `action` varchar(16) NOT NULL,
  KEY `id` (`id`, `host`),
  KEY `host` (`host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- The hosts of a task and their output, in the table that the task's id modulo 100 names.
CREATE TABLE IF NOT EXISTS `task_host_0` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_1` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_2` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_3` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_4` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_5` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_6` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_7` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_8` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_9` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_10` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_11` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_12` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_13` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_14` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_15` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_16` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_17` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_18` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_19` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_20` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_21` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_22` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_23` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_24` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_25` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_26` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_27` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_28` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_29` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_30` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_31` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_32` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_33` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_34` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_35` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_36` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_37` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_38` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_39` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_40` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_41` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_42` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_43` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_44` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_45` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_46` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_47` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_48` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_49` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_50` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_51` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_52` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_53` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_54` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_55` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_56` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_57` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_58` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_59` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_60` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_61` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_62` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_63` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_64` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_65` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_66` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_67` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_68` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_69` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_70` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_71` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_72` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_73` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_74` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_75` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_76` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_77` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_78` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_79` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_80` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_81` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_82` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_83` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_84` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_85` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_86` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_87` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_88` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_89` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_90` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_91` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_92` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_93` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_94` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_95` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_96` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_97` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_98` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS `task_host_99` (
  `ii` bigint unsigned NOT NULL AUTO_INCREMENT,
  `id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `status` varchar(32) NOT NULL,
  `stdout` text,
  `stderr` text,
  PRIMARY KEY (`ii`),
  UNIQUE KEY `id` (`id`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- One row: who this database is, and the highest task id ever reserved.
CREATE TABLE IF NOT EXISTS `ibex_cluster` (
  `id` varchar(32) NOT NULL,
  `server_key` text NOT NULL,
  `last_task_id` bigint unsigned NOT NULL,
  `only` tinyint unsigned NOT NULL DEFAULT 1 COMMENT 'keeps it at one row',
  PRIMARY KEY (`id`),
  UNIQUE KEY `only` (`only`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Every start of a script on a host, and how it ended.
CREATE TABLE IF NOT EXISTS `ibex_run` (
  `task_id` bigint unsigned NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `clock` bigint NOT NULL,
  `exit_code` int,
  `signal` int,
  `reason` varchar(32),
  `started_ms` bigint,
  `ended_ms` bigint,
  `stdout_bytes` bigint NOT NULL DEFAULT 0,
  `stderr_bytes` bigint NOT NULL DEFAULT 0,
  `stdout_truncated` tinyint NOT NULL DEFAULT 0,
  `stderr_truncated` tinyint NOT NULL DEFAULT 0,
  `late` tinyint NOT NULL DEFAULT 0,
  PRIMARY KEY (`task_id`, `host`, `clock`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- The agents and the keys they showed.
CREATE TABLE IF NOT EXISTS `ibex_agent` (
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `public_key` varchar(64) NOT NULL,
  `store_id` varchar(64) NOT NULL,
  `boot_id` varchar(64) NOT NULL,
  `version` varchar(64) NOT NULL,
  `kind` varchar(32) NOT NULL,
  `first_seen_ms` bigint NOT NULL,
  `last_seen_ms` bigint NOT NULL,
  PRIMARY KEY (`host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- The server processes on this database, with their last sign of life.
CREATE TABLE IF NOT EXISTS `ibex_server` (
  `instance` varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `name` varchar(128) NOT NULL,
  `version` varchar(64) NOT NULL,
  `seen_ms` bigint NOT NULL,
  PRIMARY KEY (`instance`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Which agents have a session with each of them.
CREATE TABLE IF NOT EXISTS `ibex_session` (
  `instance` varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `address` varchar(64) NOT NULL,
  `since_ms` bigint NOT NULL,
  PRIMARY KEY (`instance`, `host`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- What a task says besides the columns of task_meta; most tasks have no row.
CREATE TABLE IF NOT EXISTS `ibex_task` (
  `id` bigint unsigned NOT NULL,
  `terminal` tinyint NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Requests that make one task however often they come.
CREATE TABLE IF NOT EXISTS `ibex_idempotency` (
  `request_key` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `task_id` bigint unsigned NOT NULL,
  `expires_ms` bigint NOT NULL,
  `body_digest` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  PRIMARY KEY (`request_key`),
  KEY `expires_ms` (`expires_ms`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- The servers' writing connections: tells whether a transaction whose answer got lost was committed.
CREATE TABLE IF NOT EXISTS `ibex_writer` (
  `id` varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `seq` bigint unsigned NOT NULL,
  `fenced` tinyint NOT NULL DEFAULT 0,
  `used` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `used` (`used`)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
