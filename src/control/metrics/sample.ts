/** One line of the exposition, in the form that prom-client's registry prints. */
export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Labels that many samples have in common: the registry turns the object into text once. */
  readonly sharedLabels?: Readonly<Record<string, string>>;
  /** Where it differs from the metric's: `_bucket`, `_sum` and `_count` of histograms. */
  readonly metricName?: string;
}

export type Collect = () => readonly Sample[];
