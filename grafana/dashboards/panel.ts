/**
 * The kinds of panel, so that units, legends and thresholds look the same everywhere. Each takes a title, one or two
 * sentences on how to read it, and its place in a grid of 24 columns.
 */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AxisColorMode,
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  GraphGradientMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The uid of the data source that `grafana/provisioning/datasources/prometheus.yml` provisions. */
export const prometheus = { type: 'prometheus', uid: 'prometheus' } as const;

/** One PromQL expression and the legend of its series. */
export type Query = { expr: string; legend: string };

/** The unit of a panel by its name in Grafana, and its width in columns of the grid. */
export type Shape = { unit: string; width: number };

/** The values from which a panel is orange (`warning`) or red (`limit`: a trial fails). */
export type Bounds = { warning?: number; limit?: number };

/** The limit of the experiments: p99 of delivery latency, in seconds. */
export const latencyLimit: Bounds = { limit: 0.25 };

const green = 'green';

/** The letter of the n-th query of a panel. */
export function refId(index: number): string {
  return String.fromCharCode(65 + index);
}

function steps(bounds: Bounds): Threshold[] {
  const found: Threshold[] = [{ value: null, color: green }];
  if (bounds.warning !== undefined) found.push({ value: bounds.warning, color: 'orange' });
  if (bounds.limit !== undefined) found.push({ value: bounds.limit, color: 'red' });
  return found;
}

function thresholds(bounds: Bounds) {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps(bounds));
}

function range(query: Query, index = 0) {
  return new DataqueryBuilder()
    .datasource(prometheus)
    .refId(refId(index))
    .expr(query.expr)
    .legendFormat(query.legend)
    .range();
}

/** Lines over time, with mean, maximum and last value in a table below. Bounds are dashed lines. */
export function lines(
  title: string,
  description: string,
  shape: Shape & { bounds?: Bounds; max?: number; stacked?: boolean; log?: boolean },
  ...queries: Query[]
): Builder<Panel> {
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(prometheus)
    .unit(shape.unit)
    .min(0)
    .height(8)
    .span(shape.width)
    .lineWidth(2)
    .fillOpacity(shape.stacked ? 35 : 8)
    .gradientMode(GraphGradientMode.Opacity)
    .showPoints(VisibilityMode.Never)
    .spanNulls(3000)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['mean', 'max', 'lastNotNull']),
    );
  if (shape.max !== undefined) panel.max(shape.max);
  if (shape.stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (shape.log)
    panel.scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10));
  if (shape.bounds)
    panel
      .thresholds(thresholds(shape.bounds))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  for (const [index, query] of queries.entries()) panel.withTarget(range(query, index));
  return panel;
}

/** One number, coloured by its bounds, with its graph behind it. */
export function figure(
  title: string,
  description: string,
  shape: Shape & { bounds?: Bounds; decimals?: number },
  ...queries: Query[]
): Builder<Panel> {
  const panel = new StatBuilder()
    .title(title)
    .description(description)
    .datasource(prometheus)
    .unit(shape.unit)
    .height(4)
    .span(shape.width)
    .noValue('–')
    .graphMode(BigValueGraphMode.Area)
    .colorMode(shape.bounds ? BigValueColorMode.Background : BigValueColorMode.Value)
    .thresholds(thresholds(shape.bounds ?? {}))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  if (shape.decimals !== undefined) panel.decimals(shape.decimals);
  for (const [index, query] of queries.entries()) panel.withTarget(range(query, index));
  return panel;
}

/** The buckets of a histogram over time; each series of the expression is a bucket. */
export function heat(title: string, description: string, shape: Shape, query: Query): Builder<Panel> {
  return new HeatmapBuilder()
    .title(title)
    .description(description)
    .datasource(prometheus)
    .height(8)
    .span(shape.width)
    .calculate(false)
    .yAxis(
      new YAxisConfigBuilder()
        .unit(shape.unit)
        .axisPlacement(AxisPlacement.Left)
        .axisColorMode(AxisColorMode.Text),
    )
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .showLegend()
    .withTarget(range(query).format(PromQueryFormat.Heatmap));
}

/** Several states over time: each series is a row, and is blue while its value is 1. */
export function states(
  title: string,
  description: string,
  shape: { width: number; height: number },
  query: Query,
): Builder<Panel> {
  return new StateTimelineBuilder()
    .title(title)
    .description(description)
    .datasource(prometheus)
    .height(shape.height)
    .span(shape.width)
    .rowHeight(0.8)
    .showValue(VisibilityMode.Never)
    .mergeValues(true)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .thresholds(
      new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
        { value: null, color: 'transparent' },
        { value: 1, color: 'blue' },
      ]),
    )
    .mappings([
      {
        type: MappingType.ValueToText,
        options: { 0: { text: ' ', color: 'transparent' }, 1: { text: 'running', color: 'blue' } },
      },
    ])
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(LegendDisplayMode.Hidden)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .withTarget(range(query));
}
