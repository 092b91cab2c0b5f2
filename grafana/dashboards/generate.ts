/** `npm run dashboards`: writes the JSON that Grafana reads beside the files that say what is in it. */
import { writeFileSync } from 'node:fs';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { experiment } from './experiment.ts';
import { overview } from './overview.ts';
import { simulator } from './simulator.ts';

/** Every dashboard by the name of its file. */
export function dashboards(): Record<string, Dashboard> {
  return {
    'overview.json': overview(),
    'simulator.json': simulator(),
    'experiment.json': experiment(),
  };
}

/** The text of a dashboard's file. */
export function fileText(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

if (import.meta.main)
  for (const [name, dashboard] of Object.entries(dashboards()))
    writeFileSync(new URL(name, import.meta.url), fileText(dashboard));
