/** The frame around every dashboard: its time range, the choice of stages, the phases of trials behind all graphs. */

import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  RowBuilder,
  TimePickerBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { prometheus } from './panel.ts';

/** Panels under one heading, left to right, top to bottom. */
export type Section = { heading: string; panels: Builder<Panel>[] };

const tag = 'chat-scaling-lab';

/** Puts sections into a dashboard of this project, with panel ids in order of reading. */
export function board(
  name: { uid: string; title: string; description: string },
  variables: QueryVariableBuilder[],
  annotations: AnnotationQueryBuilder[],
  sections: Section[],
): Dashboard {
  const builder = new DashboardBuilder(name.title)
    .uid(name.uid)
    .description(name.description)
    .tags([tag])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-15m', to: 'now' })
    .refresh('5s')
    .timepicker(new TimePickerBuilder().refreshIntervals(['1s', '5s', '10s', '30s', '1m', '5m']))
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(variables)
    .annotations(annotations)
    .link(
      new DashboardLinkBuilder('Dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    );
  for (const section of sections) {
    builder.withRow(new RowBuilder(section.heading));
    for (const panel of section.panels) builder.withPanel(panel);
  }
  const dashboard = builder.build();
  for (const [index, panel] of dashboard.panels!.entries()) panel.id = index + 1;
  return dashboard;
}

/** A choice of stages among those seen in the time range; `several` offers all of them, and several at once. */
export function stageVariable(
  name: string,
  label: string,
  chosen: { several: true } | { several: false; stage: string },
): QueryVariableBuilder {
  const query = 'label_values(chat_build_info, stage)';
  const variable = new QueryVariableBuilder(name)
    .label(label)
    .datasource(prometheus)
    .query({ query, refId: 'StandardVariableQuery' })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
  if (!chosen.several) return variable.current({ selected: true, text: chosen.stage, value: chosen.stage });
  return (
    variable
      .multi(true)
      .includeAll(true)
      // Matches the absent label too: a simulator started by hand does not know which stage it drives.
      .allValue('.*')
      .current({ selected: true, text: ['All'], value: ['$__all'] })
  );
}

/** Regions behind the graphs, one for each stretch of time in which the expression is 1. */
export function regions(
  name: string,
  colour: string,
  expr: string,
  format: { title: string; text: string; tags: string },
): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(prometheus)
    .enable(true)
    .iconColor(colour)
    .target(new DataqueryBuilder().datasource(prometheus).refId('Anno').expr(expr).interval('1s'))
    .titleFormat(format.title)
    .textFormat(format.text)
    .tagKeys(format.tags);
}

/** The phases of the lab's trials on the chosen stages. */
export function labPhases(): AnnotationQueryBuilder {
  return regions('Phases', 'blue', 'trial_phase:lab_phase:max{stage=~"$stage"} == 1', {
    title: '{{phase}}',
    text: '{{experiment}}, {{variant}} ({{purpose}})',
    tags: 'phase,stage',
  });
}

/** Limits that are broken while they are. */
export function brokenLimits(): AnnotationQueryBuilder {
  return regions(
    'Broken limits',
    'red',
    'max by (alertname, stage) (ALERTS{alertstate="firing", stage=~"$stage"}) == 1',
    { title: '{{alertname}}', text: '{{stage}}', tags: 'alertname,stage' },
  );
}
