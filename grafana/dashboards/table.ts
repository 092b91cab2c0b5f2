/** A table of numbers over the chosen time range: a row per set of labels, a column per query. */
import { TableCellDisplayMode } from '@grafana/grafana-foundation-sdk/common';
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { type Bounds, begin, refId } from './panel.ts';

/** One column: its heading, its Grafana unit, and the expression that yields one value per row. */
type Column = { heading: string; unit: string; expr: string; bounds?: Bounds };

/** `rows` are the labels by which the expressions are grouped; they are the columns on the left. */
export function table(title: string, description: string, rows: string[], columns: Column[]) {
  // Merging joins the rows of all queries by their labels; each query has a column named after its letter.
  const values = columns.map((_, index) => `Value #${refId(index)}`);
  const queries = columns.map(({ expr }) =>
    new DataqueryBuilder().expr(expr).format(PromQueryFormat.Table).instant(),
  );
  const panel = begin(new TableBuilder(), title, description, 8, queries)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries([...rows, ...values].map((name, index) => [name, index])),
        renameByName: Object.fromEntries(columns.map(({ heading }, index) => [values[index], heading])),
      },
    });
  for (const column of columns) panel.overrideByName(column.heading, properties(column));
  return panel;
}

function properties({ unit, bounds }: Column): DynamicConfigValue[] {
  if (bounds?.limit === undefined) return [{ id: 'unit', value: unit }];
  const steps = [
    { value: null, color: 'green' },
    { value: bounds.limit, color: 'red' },
  ];
  return [
    { id: 'unit', value: unit },
    { id: 'thresholds', value: { mode: 'absolute', steps } },
    { id: 'custom.cellOptions', value: { type: TableCellDisplayMode.ColorText } },
  ];
}
