/** A table of numbers over the chosen time range: a row per set of labels, a column per query. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { TableCellDisplayMode } from '@grafana/grafana-foundation-sdk/common';
import type { DynamicConfigValue, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { type Bounds, prometheus, refId } from './panel.ts';

/** One column: its heading, its Grafana unit, and the expression that yields one value per row. */
export type Column = { heading: string; unit: string; expr: string; bounds?: Bounds };

/** `rows` are the labels by which the expressions are grouped; they are the columns on the left. */
export function table(
  title: string,
  description: string,
  shape: { width: number; height: number; rows: readonly string[] },
  ...columns: Column[]
): Builder<Panel> {
  const letters = columns.map((_, index) => refId(index));
  const panel = new TableBuilder()
    .title(title)
    .description(description)
    .datasource(prometheus)
    .height(shape.height)
    .span(shape.width)
    // Merging joins the rows of all queries by their labels; each query has a column named after its letter.
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(
          [...shape.rows, ...letters.map(valueName)].map((name, index) => [name, index]),
        ),
        renameByName: Object.fromEntries(
          columns.map((column, index) => [valueName(letters[index]!), column.heading]),
        ),
      },
    });
  for (const [index, column] of columns.entries()) {
    panel.withTarget(
      new DataqueryBuilder()
        .datasource(prometheus)
        .refId(letters[index]!)
        .expr(column.expr)
        .format(PromQueryFormat.Table)
        .instant(),
    );
    panel.overrideByName(column.heading, properties(column));
  }
  return panel;
}

function valueName(refId: string): string {
  return `Value #${refId}`;
}

function properties(column: Column): DynamicConfigValue[] {
  const found: DynamicConfigValue[] = [{ id: 'unit', value: column.unit }];
  if (column.bounds?.limit === undefined) return found;
  const steps = [
    { value: null, color: 'green' },
    { value: column.bounds.limit, color: 'red' },
  ];
  return [
    ...found,
    { id: 'thresholds', value: { mode: 'absolute', steps } },
    { id: 'custom.cellOptions', value: { type: TableCellDisplayMode.ColorText } },
  ];
}
