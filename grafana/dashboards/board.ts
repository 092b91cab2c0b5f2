/** The parts that all dashboards have: the time range, the choice of stages, the phases behind the graphs. */
import * as grafana from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { chosenStages, type PanelBuilder, prometheus } from './panel.ts';

const tag = 'chat-scaling-lab';

/** A dashboard of these sections of panels, each under its heading, with panel ids in reading order. */
export function board(
  name: { uid: string; title: string; description: string },
  variables: grafana.QueryVariableBuilder[],
  annotations: grafana.AnnotationQueryBuilder[],
  sections: Record<string, PanelBuilder[]>,
): grafana.Dashboard {
  const builder = new grafana.DashboardBuilder(name.title)
    .uid(name.uid)
    .description(name.description)
    .tags([tag])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-15m', to: 'now' })
    .refresh('5s')
    .timepicker(new grafana.TimePickerBuilder().refreshIntervals(['1s', '5s', '10s', '30s', '1m', '5m']))
    .tooltip(grafana.DashboardCursorSync.Crosshair)
    .variables(variables)
    .annotations(annotations)
    .link(
      new grafana.DashboardLinkBuilder('Dashboards')
        .type(grafana.DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    );
  for (const [heading, panels] of Object.entries(sections)) {
    builder.withRow(new grafana.RowBuilder(heading));
    for (const panel of panels) builder.withPanel(panel);
  }
  const dashboard = builder.build();
  for (const [index, panel] of dashboard.panels!.entries()) panel.id = index + 1;
  return dashboard;
}

/**
 * A choice among the stages in the metrics of the time range. `all` allows several and begins with all of
 * them; `first` and `last` allow one and begin with the first or the last by name.
 */
export function stageVariable(name: string, label: string, choice: 'all' | 'first' | 'last') {
  const query = 'label_values(chat_build_info, stage)';
  const variable = new grafana.QueryVariableBuilder(name)
    .label(label)
    .datasource(prometheus)
    .query({ query, refId: 'StandardVariableQuery' })
    .definition(query)
    .refresh(grafana.VariableRefresh.OnTimeRangeChanged)
    // Without a value of its own, Grafana takes the first in the list.
    .sort(choice === 'last' ? grafana.VariableSort.AlphabeticalDesc : grafana.VariableSort.AlphabeticalAsc);
  if (choice !== 'all') return variable;
  return (
    variable
      .multi(true)
      .includeAll(true)
      // It also matches an absent label: a simulator that was started by hand does not know its stage.
      .allValue('.*')
      .current({ selected: true, text: ['All'], value: ['$__all'] })
  );
}

/** A choice among the values of a label, of several; begins with all of them. `from`: the series with it. */
export function labelVariable(name: string, label: string, from: string) {
  const query = `label_values(${from}, ${name})`;
  return new grafana.QueryVariableBuilder(name)
    .label(label)
    .datasource(prometheus)
    .query({ query, refId: 'StandardVariableQuery' })
    .definition(query)
    .refresh(grafana.VariableRefresh.OnTimeRangeChanged)
    .sort(grafana.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

/** Regions behind the graphs, one for each time span in which the expression is 1. */
export function regions(
  name: string,
  colour: string,
  expr: string,
  format: { title: string; text: string; tags: string },
) {
  return new grafana.AnnotationQueryBuilder()
    .name(name)
    .datasource(prometheus)
    .enable(true)
    .iconColor(colour)
    .target(new DataqueryBuilder().datasource(prometheus).refId('Anno').expr(expr).interval('1s'))
    .titleFormat(format.title)
    .textFormat(format.text)
    .tagKeys(format.tags);
}

/** The phases of the lab's trials on the chosen stages; `trials` selects among them. */
export function labPhases(trials = '') {
  const format = {
    title: '{{phase}}',
    text: '{{experiment}} of {{run}}, {{variant}} ({{purpose}})',
    tags: 'phase,stage',
  };
  return regions('Phases', 'blue', `trial_phase:lab_phase:max{${chosenStages}${trials}} == 1`, format);
}

/** The time spans in which a limit is broken. */
export function brokenLimits() {
  const expr = `max by (alertname, stage) (ALERTS{alertstate="firing", ${chosenStages}}) == 1`;
  const format = { title: '{{alertname}}', text: '{{stage}}', tags: 'alertname,stage' };
  return regions('Broken limits', 'red', expr, format);
}
