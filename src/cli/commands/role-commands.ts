import type { Command } from 'commander';
import { createLogger } from '../process/logger';
import { addSettingFlags, readRoleConfig } from '../process/read-config';
import { startRole, ROLES, type Role } from '../process/roles';
import { runUntilStopped } from '../process/run';
import { renderSummary } from '../terminal/summary';

/** `keepapart serve`, `api`, `worker` and `temporal`. */
export function registerRoles(program: Command): void {
  for (const [role, description] of Object.entries(ROLES) as [Role, string][]) {
    addSettingFlags(program.command(role).description(description)).action(
      async (flags: Readonly<Record<string, unknown>>) => {
        const loaded = readRoleConfig(flags);
        const logger = createLogger(loaded.config);
        const code = await runUntilStopped(logger, async (lifecycle) => {
          process.stdout.write(renderSummary(await startRole(role, loaded, logger, lifecycle)));
        });
        // Everything of ours has been stopped; what a library keeps open (a native runtime, a connection that hangs)
        // must not hold the process up.
        process.exit(code);
      },
    );
  }
}
