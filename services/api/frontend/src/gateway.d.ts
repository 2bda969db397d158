// Messages of the gateway, made from its OpenAPI document by `make reference`; edits are lost.

export interface Ages {
  plan: number | null;
  measured: number | null;
  forecast: number | null;
}

export interface Answer {
  answer_id: string;
  conversation_id: string;
  question: string;
  understood_as?: string | null;
  language: "en" | "de" | "nl";
  answer: string;
  refused: boolean;
  sentences?: Array<AnswerSentence>;
  citations?: Array<Citation>;
  tool_calls?: Array<ToolCall>;
  nearest?: Array<Passage>;
  recommended?: Array<RecommendedDocument>;
  model?: string | null;
  prompt_version: string;
  notes?: Array<string>;
  answered_at: string;
  latency_seconds: number;
}

export interface AnswerSentence {
  text: string;
  citations?: Array<number>;
  tool_calls?: Array<number>;
  support: number;
}

export interface Bands {
  load_p10_kw: Array<number | null>;
  load_p90_kw: Array<number | null>;
  pv_p10_kw: Array<number | null>;
  pv_p90_kw: Array<number | null>;
}

export interface Chart {
  title: string;
  starts: Array<string>;
  by?: "instant" | "label";
  series: Array<ChartSeries>;
}

export interface ChartSeries {
  name: string;
  unit: "kwh" | "kw" | "price" | "cost" | "soc" | "share" | "g_per_kwh" | "hours" | "instant" |
    "count" | "celsius" | "name";
  kind?: "line" | "step" | "bar";
  values: Array<number | null>;
  quantity?: "load" | "pv" | "import" | "export" | "charge" | "discharge" | "soc" | "price" |
    "sell-price" | null;
}

export interface Citation {
  number: number;
  chunk_id: number;
  document_id: string;
  title: string;
  page?: number | null;
  headings?: Array<string>;
  quote: string;
}

export interface Decisions {
  plan_id: Array<string | null>;
  mode: Array<string | null>;
  code: Array<string | null>;
  text: Array<string | null>;
  short: Array<string | null>;
  energy_value: Array<number | null>;
  keep_from_price: Array<number | null>;
  keep_to_price: Array<number | null>;
  cost_of_opposite: Array<number | null>;
  binding: Array<Array<string> | null>;
  price_rank: Array<number | null>;
  price_count: Array<number | null>;
  manual: Array<Array<string> | null>;
  figures: Array<Record<string, unknown> | null>;
  decided_by: Array<string | null>;
}

export interface DeviceColumn {
  name: string;
  kind: "batteries" | "vehicles" | "loads" | "heat_pumps";
  capacity_kwh?: number | null;
  power_kw: Array<number | null>;
  soc?: Array<number | null> | null;
}

export interface Figure {
  name: string;
  value: number | string;
  unit: "kwh" | "kw" | "price" | "cost" | "soc" | "share" | "g_per_kwh" | "hours" | "instant" |
    "count" | "celsius" | "name";
  text: string;
}

export interface ForecastGhost {
  load_kw: Array<number | null>;
  pv_kw: Array<number | null>;
}

export interface Ghosts {
  without_luna: WithoutLunaGhost;
  midnight: MidnightGhost;
  forecast_then: ForecastGhost;
}

export interface MeasuredFlows {
  load_kw: Array<number | null>;
  pv_kw: Array<number | null>;
  import_kw: Array<number | null>;
  export_kw: Array<number | null>;
  charge_kw: Array<number | null>;
  discharge_kw: Array<number | null>;
  vehicle_kw: Array<number | null>;
  heat_pump_kw: Array<number | null>;
  water_heater_kw: Array<number | null>;
  soc: Array<number | null>;
}

export interface MidnightGhost {
  plan_id: string | null;
  issued_at: string | null;
  soc: Array<number | null>;
}

export interface NextDay {
  cost: number;
  cost_without_luna: number;
}

export interface Passage {
  chunk_id: number;
  document_id: string;
  title: string;
  name: string;
  kind: "contract" | "tariff" | "manual" | "regulation" | "subsidy" | "other";
  language?: "en" | "de" | null;
  dated?: string | null;
  valid_from?: string | null;
  valid_until?: string | null;
  site_id?: string | null;
  page?: number | null;
  page_end?: number | null;
  headings?: Array<string>;
  position: number;
  text: string;
  score: number;
  dense_score?: number | null;
  sparse_score?: number | null;
}

export interface Question {
  question: string;
  language?: "en" | "de" | "nl" | null;
  site_id?: string | null;
  conversation_id?: string | null;
  filter?: SearchFilter;
  model?: boolean;
}

export interface RecommendedDocument {
  document_id: string;
  title: string;
  kind: string;
}

export interface SearchFilter {
  kind?: "contract" | "tariff" | "manual" | "regulation" | "subsidy" | "other" | null;
  language?: "en" | "de" | null;
  from_day?: string | null;
  to_day?: string | null;
  site_id?: string | null;
  document_ids?: Array<string> | null;
}

export interface TimelineBlock {
  block_id: number | null;
  device: string;
  action: string;
  from: string;
  to: string;
  power_kw: number | null;
}

export interface TimelineFlows {
  load_kw: Array<number | null>;
  pv_kw: Array<number | null>;
  curtailed_kw: Array<number | null>;
  import_kw: Array<number | null>;
  export_kw: Array<number | null>;
  charge_kw: Array<number | null>;
  discharge_kw: Array<number | null>;
  vehicle_kw: Array<number | null>;
  vehicle_discharge_kw: Array<number | null>;
  appliance_kw: Array<number | null>;
  heat_pump_kw: Array<number | null>;
  soc: Array<number | null>;
  target_soc: Array<number | null>;
}

export interface TimelineOverride {
  device: string;
  mode: string;
  power_kw: number | null;
  target_soc: number | null;
  until: string;
  by: string;
}

export interface TimelinePlan {
  plan_id: string;
  status: string;
  issued_at: string;
  prices_known_until: string | null;
  covers_now: boolean;
  forecast_version: string | null;
  soc_assumed: boolean;
}

export interface TimelinePrices {
  import: Array<number | null>;
  export: Array<number | null>;
  known_slots: number;
}

export interface TimelineSession {
  vehicle: string;
  from: string;
  to: string;
  target_soc: number | null;
  charge_kw: number;
}

export interface Timelines {
  site: string;
  timezone: string;
  currency: string;
  language: "en" | "de" | "nl";
  price_scale: number;
  price_unit: string;
  start: string;
  slot_minutes: number;
  slots: number;
  past_slots: number;
  now: string;
  plan: TimelinePlan | null;
  ages_s: Ages;
  prices: TimelinePrices;
  measured: MeasuredFlows;
  estimated: Array<Array<string> | null>;
  planned: TimelineFlows;
  bands: Bands;
  devices: Array<DeviceColumn>;
  reserve_soc: Array<number | null>;
  decisions: Decisions;
  ghosts: Ghosts;
  sessions: Array<TimelineSession>;
  overrides: Array<TimelineOverride>;
  blocks: Array<TimelineBlock>;
}

export interface ToolCall {
  tool: string;
  arguments: Record<string, unknown>;
  found: boolean;
  text: string;
  figures?: Array<Figure>;
  chart?: Chart | null;
  sources?: Array<ToolSource>;
}

export interface ToolSource {
  what: string;
  period?: string | null;
  path?: string | null;
}

export interface WithoutLunaGhost {
  soc: Array<number | null>;
  next_day: NextDay | null;
}
