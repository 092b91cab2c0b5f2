/**
 * The kinds of panel, so that units, legends and thresholds look the same everywhere. Each takes a title, and
 * one or two sentences on how to read it.
 */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as grafana from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The uid of the data source that `grafana/provisioning/datasources/prometheus.yml` provisions. */
export const prometheus = { type: 'prometheus', uid: 'prometheus' } as const;

/** Selects the series of the stages that are chosen in the variable `stage`. */
export const chosenStages = 'stage=~"$stage"';

/** One PromQL expression and the legend of its series. */
export type Query = { expr: string; legend: string };

/** The series of a metric for the chosen stages. */
export function of(metric: string, legend = '{{stage}}'): Query {
  return { expr: `${metric}{${chosenStages}}`, legend };
}

/** The values from which a panel is orange (`warning`) or red (`limit`: a trial fails). */
export type Bounds = { warning?: number; limit?: number };

/** A latency as a share of the limit of its own run. */
export const ofLimit = { unit: 'percentunit', bounds: { warning: 0.8, limit: 1 } } as const;

/** The name of a series that is drawn as a limit: dashed and red. */
export const limitName = 'limit of the run';

/** The limit of the p99 that each run of the chosen stages has; several runs may differ. */
export const latencyLimit: Query = {
  expr: `stage:loadtest_delivery_latency_limit_seconds:max{${chosenStages}}`,
  legend: limitName,
};

/** How values are shown: the unit by its name in Grafana, and the bounds. */
type Shape = { unit: string; bounds?: Bounds };

export type PanelBuilder = Builder<grafana.Panel> & { span(columns: number): unknown };

/** Panels side by side, each of `width` columns of the grid, which has 24. */
export function row(width: number, panels: PanelBuilder[]): PanelBuilder[] {
  for (const panel of panels) panel.span(width);
  return panels;
}

type AnyBuilder = {
  title(title: string): AnyBuilder;
  description(description: string): AnyBuilder;
  datasource(source: grafana.DataSourceRef): AnyBuilder;
  height(rows: number): AnyBuilder;
  withTarget(query: Builder<Dataquery>): AnyBuilder;
};

/** Sets what all kinds of panel have; `height` in rows of the grid. */
export function begin<B extends AnyBuilder>(
  panel: B,
  title: string,
  description: string,
  height: number,
  queries: readonly DataqueryBuilder[],
): B {
  panel.title(title).description(description).datasource(prometheus).height(height);
  for (const [index, query] of queries.entries())
    panel.withTarget(query.datasource(prometheus).refId(refId(index)));
  return panel;
}

/** The letter of the n-th query of a panel. */
export function refId(index: number): string {
  return String.fromCharCode(65 + index);
}

function thresholds({ warning, limit }: Bounds) {
  const steps: grafana.Threshold[] = [{ value: null, color: 'green' }];
  if (warning !== undefined) steps.push({ value: warning, color: 'orange' });
  if (limit !== undefined) steps.push({ value: limit, color: 'red' });
  return new grafana.ThresholdsConfigBuilder().mode(grafana.ThresholdsMode.Absolute).steps(steps);
}

function range(query: Query) {
  return new DataqueryBuilder().expr(query.expr).legendFormat(query.legend).range();
}

/** Lines over time, with mean, maximum and last value in a table below. Bounds are dashed lines. */
export function lines(
  title: string,
  description: string,
  shape: Shape & { max?: number; stacked?: boolean; log?: boolean },
  queries: Query[],
) {
  const panel = begin(new TimeseriesBuilder(), title, description, 8, queries.map(range))
    .unit(shape.unit)
    .min(0)
    .lineWidth(2)
    .fillOpacity(shape.stacked ? 35 : 8)
    .gradientMode(common.GraphGradientMode.Opacity)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(3000)
    .colorScheme(new grafana.FieldColorBuilder().mode(grafana.FieldColorModeId.PaletteClassicByName))
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['mean', 'max', 'lastNotNull']),
    );
  if (shape.max !== undefined) panel.max(shape.max);
  if (shape.stacked)
    panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'));
  if (shape.log)
    panel.scaleDistribution(
      new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(10),
    );
  if (queries.some(({ legend }) => legend === limitName))
    panel.overrideByName(limitName, [
      { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 8] } },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'custom.lineWidth', value: 1 },
    ]);
  const dashed = new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed);
  if (shape.bounds) panel.thresholds(thresholds(shape.bounds)).thresholdsStyle(dashed);
  return panel;
}

/** One number, coloured by its bounds, with its graph behind it. */
export function figure(
  title: string,
  description: string,
  shape: Shape & { decimals?: number },
  query: Query,
) {
  const { BigValueColorMode, BigValueGraphMode, ReduceDataOptionsBuilder } = common;
  const panel = begin(new StatBuilder(), title, description, 4, [range(query)])
    .unit(shape.unit)
    .noValue('–')
    .graphMode(BigValueGraphMode.Area)
    .colorMode(shape.bounds ? BigValueColorMode.Background : BigValueColorMode.Value)
    .thresholds(thresholds(shape.bounds ?? {}))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  if (shape.decimals !== undefined) panel.decimals(shape.decimals);
  return panel;
}

/** The buckets of a histogram in seconds over time; each series of the expression is a bucket. */
export function heat(title: string, description: string, expr: string) {
  const query = range({ expr, legend: '{{le}}' }).format(PromQueryFormat.Heatmap);
  return begin(new heatmap.PanelBuilder(), title, description, 8, [query])
    .calculate(false)
    .yAxis(
      new heatmap.YAxisConfigBuilder()
        .unit('s')
        .axisPlacement(common.AxisPlacement.Left)
        .axisColorMode(common.AxisColorMode.Text),
    )
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme('Oranges')
        .steps(64),
    )
    .showLegend();
}

/** Several states over time: each series is a row, and is blue while its value is 1. */
export function states(title: string, description: string, query: Query) {
  return begin(new StateTimelineBuilder(), title, description, 8, [range(query)])
    .rowHeight(0.8)
    .showValue(common.VisibilityMode.Never)
    .mergeValues(true)
    .colorScheme(new grafana.FieldColorBuilder().mode(grafana.FieldColorModeId.Thresholds))
    .thresholds(
      new grafana.ThresholdsConfigBuilder().mode(grafana.ThresholdsMode.Absolute).steps([
        { value: null, color: 'transparent' },
        { value: 1, color: 'blue' },
      ]),
    )
    .mappings([
      {
        type: grafana.MappingType.ValueToText,
        options: { 0: { text: ' ', color: 'transparent' }, 1: { text: 'running', color: 'blue' } },
      },
    ])
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(common.LegendDisplayMode.Hidden)
        .placement(common.LegendPlacement.Bottom)
        .calcs([]),
    );
}
