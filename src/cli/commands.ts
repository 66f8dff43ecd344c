// Every command, in the order in which `latchkey --help` and docs/command.md list them.
import { adminCreate } from './admin.ts';
import { backup } from './backup.ts';
import type { Command } from './command.ts';
import { doctor } from './doctor.ts';
import { keysExport, keysList, keysReseal, keysRevoke, keysRotate } from './keys.ts';
import { migrateStatus, migrateUp } from './migrate.ts';
import { restore } from './restore.ts';
import { hash, secret } from './secret.ts';
import { serve } from './serve.ts';
import { servicesAdd, servicesList, servicesRemove } from './services.ts';
import { sessionsEnd, sessionsList } from './sessions.ts';
import { tokenDecode, tokenMake } from './token.ts';
import {
  usersAdd,
  usersDisable,
  usersEnable,
  usersList,
  usersRemove,
  usersSetPassword,
  usersShow,
} from './users.ts';
import { usersImport } from './users-import.ts';

/** The table of commands. */
export const commands: readonly Command[] = [
  ...[serve, secret, hash, adminCreate],
  ...[usersAdd, usersList, usersShow, usersDisable, usersEnable, usersSetPassword, usersRemove, usersImport],
  ...[sessionsList, sessionsEnd],
  ...[servicesAdd, servicesList, servicesRemove],
  ...[keysList, keysRotate, keysRevoke, keysExport, keysReseal],
  ...[tokenDecode, tokenMake],
  ...[migrateStatus, migrateUp],
  ...[doctor, backup, restore],
];
