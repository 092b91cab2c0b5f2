/** `npm run dashboards`: writes the JSON files that Grafana reads, beside the code that makes them. */
import { writeFileSync } from 'node:fs';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { experiment } from './experiment.ts';
import { overview } from './overview.ts';
import { people } from './people.ts';
import { simulator } from './simulator.ts';

/** Every dashboard, by the name of its file. */
export const dashboards = {
  'overview.json': overview,
  'simulator.json': simulator,
  'experiment.json': experiment,
  'people.json': people,
};

/** The text of the file of a dashboard. */
export function fileText(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

if (import.meta.main)
  for (const [name, dashboard] of Object.entries(dashboards))
    writeFileSync(new URL(name, import.meta.url), fileText(dashboard));
