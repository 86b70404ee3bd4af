import type { Server } from 'node:http';

export function serve(options: {
  root: string;
  port?: number;
  host?: string;
  models?: string;
  isolated?: boolean;
}): Promise<Server>;
