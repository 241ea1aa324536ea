// Generated from the Go package wire by "go generate ./backend/internal/wire/tsgen". Do not edit.

export interface About {
  version: string;
  commit: string;
  built: string;
  go: string;
  os: string;
  arch: string;
  data_folder: string;
  config_file?: string;
  sqlite: string;
  licence: string;
  licences: Licence[];
  leaves: Words[];
}

export type Action = "" | "note" | "mask" | "replace" | "handover" | "block";

export interface AddrCheck {
  addr: string;
}

export interface AddrReport {
  free: boolean;
  ours: boolean;
  by?: string;
  text?: string;
  suggest?: string;
}

export type AdminRole = "" | "operator" | "owner";

export interface AnswerCache {
  entries: number;
  bytes: number;
  hits: number;
  ttl_s: number;
}

export interface ArchiveProbe {
  dsn: string;
}

export interface ArchiveRun {
  sealed: number;
  shipped: number;
}

export interface ArchiveStatus {
  hot: number;
  warm: number;
  cold: number;
  clickhouse: string;
  server?: string;
  version?: string;
  reason?: string;
  pending: number;
  shipped: number;
  failures: number;
  next_try?: string;
  last_ship?: string;
  raw_bytes: number;
  stored_bytes: number;
  ratio: number;
  sqlite_bytes: number;
  disk_free: number;
  cold_after_s: number;
  keep_days: number;
  corrupt: number;
}

export interface ArchiveTest {
  ok: boolean;
  text: string;
  hint?: string;
  version?: string;
  latency_ms?: number;
  free_bytes?: number;
  steps: TestStep[];
}

export interface Backup {
  name: string;
  at: string;
  bytes: number;
  version: string;
  encrypted: boolean;
  auto: boolean;
  verified_at?: string;
  fault?: string;
}

export interface BackupNew {
  passphrase: string;
}

export interface BackupOpen {
  passphrase: string;
}

export interface Backups {
  items: Backup[];
  schedule: string;
  at: string;
  keep: number;
  folder: string;
  passphrase: boolean;
  staged?: Staged;
  running: boolean;
}

export interface BlockChange {
  blocked: boolean;
}

export interface BrowserLink {
  url: string;
  expires_at: string;
}

export interface ChartQuery {
  series: string;
  from: string;
  to: string;
  step: string;
}

export interface ChartSeries {
  name: string;
  unit: string;
  values: (number | null)[];
}

export interface Charts {
  from: number;
  to: number;
  step: number;
  t: number[];
  series: ChartSeries[];
}

export interface Choice {
  value: string;
  name: Words;
}

export interface Claim {
  token: string;
  name: string;
  password: string;
}

export interface Conversation {
  id: string;
  site: string;
  mode: Mode;
  version: number;
  last_seq: number;
  created_at: string;
  updated_at: string;
  visitor: Visitor;
  page: Page;
  label?: string;
  online: boolean;
  answering: boolean;
  operator?: string;
  unread: number;
  rating?: number;
  comment?: string;
  spend: number;
  tokens: number;
  last_text: string;
  last_from: From;
  blocked: boolean;
  unanswered: boolean;
  archived: boolean;
  shipped: boolean;
}

export interface ConversationDetail {
  conversation: Conversation;
  messages: Message[];
  earlier: boolean;
  draft?: Draft;
}

export interface ConversationList {
  items: Conversation[];
  next?: string;
  counts?: Record<string, number>;
}

export interface ConversationQuery {
  query: string;
  state: string;
  rating: number;
  unanswered: boolean;
  from: string;
  to: string;
  limit: number;
  cursor: string;
}

export interface Detector {
  name: string;
  enabled: boolean;
  action: Action;
  way: FilterWay;
  hits: number;
}

export interface DetectorWrite {
  enabled: boolean;
  action: Action;
  way: FilterWay;
}

export type Direction = "in" | "out";

export type Door = "window" | "browser";

export interface Draft {
  seq: number;
  part: number;
  text: string;
}

export interface DraftPattern {
  name: string;
  expr: string;
}

export interface ExportQuery {
  format: string;
}

export interface FAQEntry {
  id: number;
  lang: string;
  question: string;
  alternatives: string[];
  answer: string;
  enabled: boolean;
  silent?: boolean;
  hits: number;
  updated_at: string;
}

export interface FAQExportQuery {
  lang: string;
}

export interface FAQList {
  items: FAQEntry[];
  next?: string;
  total: number;
  langs: string[];
  silent?: number;
}

export interface FAQMatch {
  id: number;
  lang: string;
  question: string;
  score: number;
}

export interface FAQQuery {
  query: string;
  lang: string;
  limit: number;
  cursor: string;
}

export interface FAQTest {
  question: string;
  lang: string;
}

export interface FAQTestResult {
  found: boolean;
  threshold: number;
  answer: string;
  matches: FAQMatch[];
  us: number;
}

export interface FAQWrite {
  lang: string;
  question: string;
  alternatives: string[];
  answer: string;
  enabled: boolean;
  unanswered?: number;
}

export interface FactEvent {
  at: string;
  name: string;
  data?: string;
}

export interface FactPage {
  at: string;
  url: string;
  title?: string;
}

export interface FactSheet {
  answers?: Record<string, string>;
  attributes?: Record<string, string>;
  tags?: string[];
  events?: FactEvent[];
  pages?: FactPage[];
}

export interface FileQuery {
  name: string;
}

export interface FilterConfig {
  words_on: boolean;
  patterns_on: boolean;
  shadow: boolean;
  action_in: Action;
  action_out: Action;
  pinyin: boolean;
  mask_personal_data: boolean;
  stored_personal_data: string;
  mask_style: string;
  review: ReviewConfig;
  blocked_text: string;
  locked: string[];
  revision: number;
}

export interface FilterCount {
  layer: Layer;
  rule: string;
  count: number;
}

export interface FilterDraft {
  alone: boolean;
  words: string[];
  patterns: DraftPattern[];
  allow: string[];
  category: string;
  action: Action;
  replace: string;
  mask_style?: string;
  pinyin?: boolean;
}

export interface FilterException {
  id: number;
  text: string;
  rule?: string;
  at: string;
  by: string;
}

export interface FilterExceptionNew {
  text: string;
  rule: string;
  also?: string[];
}

export interface FilterHit {
  id: number;
  at: string;
  layer: Layer;
  rule: string;
  category?: string;
  action: Action;
  shadow: boolean;
  direction: Direction;
  match: string;
  context: string;
  conversation?: string;
  seq?: number;
  false_positive: boolean;
}

export interface FilterPattern {
  id: number;
  name: string;
  expr: string;
  category: string;
  action: Action;
  way: FilterWay;
  replace: string;
  enabled: boolean;
  read_only: boolean;
  hits: number;
  updated_at: string;
}

export interface FilterPatternWrite {
  name: string;
  expr: string;
  category: string;
  action: Action;
  way: FilterWay;
  replace: string;
  enabled: boolean;
}

export interface FilterProblem {
  list: string;
  entry: string;
  code: string;
  text: string;
}

export interface FilterTest {
  direction: Direction;
  text: string;
  review: boolean;
  draft?: FilterDraft;
}

export interface FilterTestResult {
  action: Action;
  text: string;
  normalised: string;
  pinyin?: string;
  layers: LayerTest[];
  excepted: Hit[];
  notes: string[];
}

export type FilterWay = "in" | "out" | "both";

export interface Filters {
  config: FilterConfig;
  lists: WordList[];
  patterns: FilterPattern[];
  detectors: Detector[];
  exceptions: FilterException[];
  words: number;
  build_ms: number;
  bytes: number;
  layers: LayerHealth[];
  invalid?: string;
  problems: FilterProblem[];
  more: number;
}

export type Finish = "" | "stop" | "length" | "blocked" | "stopped" | "error";

export type From = "visitor" | "ai" | "operator" | "system";

export interface Gauge {
  used: number;
  configured: number;
  learned: number;
}

export interface Hit {
  layer: Layer;
  rule: string;
  category?: string;
  action: Action;
  start: number;
  end: number;
  match?: string;
}

export interface HitList {
  items: FilterHit[];
  next?: string;
  top?: FilterCount[];
}

export interface HitQuery {
  layer: Layer;
  rule: string;
  limit: number;
  cursor: string;
}

export interface HitRead {
  normalised: string;
  steps: string[];
}

export interface ImportColumn {
  name: string;
  sample: string;
  use: string;
}

export interface ImportEntry {
  key: string;
  value?: string;
}

export interface ImportNote {
  line: number;
  code: string;
  text: string;
}

export interface ImportQuery {
  dry_run: boolean;
  replace: boolean;
  columns: string;
  no_header: boolean;
}

export interface ImportReport {
  added: number;
  updated: number;
  skipped: number;
  rejected: number;
  encoding: string;
  notes: ImportNote[];
  truncated: boolean;
  preview: ImportEntry[];
  columns?: ImportColumn[];
}

export interface Key {
  name: string;
  provider: string;
  masked: string;
  source: string;
  locked: boolean;
  enabled: boolean;
  weight: number;
  state: string;
  reason?: string;
  until?: string;
  checked_at?: string;
  requests: Gauge;
  tokens: Gauge;
  admit_rate: number | null;
  in_flight: number;
  spend_today: number;
  calls_today: number;
  errors_today: number;
  first_token_ms: number | null;
  created_at: string;
}

export interface KeyNew {
  name: string;
  provider: string;
  value: string;
  rpm: number;
  tpm: number;
  weight: number;
}

export interface KeyOrder {
  names: string[];
}

export interface KeyPatch {
  value?: string;
  enabled?: boolean;
  rpm?: number;
  tpm?: number;
  weight?: number;
  provider?: string;
}

export interface KeyProbe {
  preset: string;
  base_url: string;
  value: string;
  key?: string;
  model: string;
}

export interface KeyRing {
  providers: Provider[];
  store: string;
  store_note?: string;
  currency: string;
  in_flight: number;
  in_flight_max: number;
  queue: Record<string, number>;
}

export interface KeyTest {
  ok: boolean;
  fault?: string;
  status?: number;
  text: string;
  hint?: string;
  base_url?: string;
  model?: string;
  models: string[];
  steps: TestStep[];
  first_token_ms?: number;
  total_ms: number;
  rpm?: number;
  tpm?: number;
}

export type Layer = "words" | "patterns" | "review";

export interface LayerHealth {
  layer: Layer;
  on: boolean;
  hits: number;
  p50_us: number;
  p95_us: number;
  checks: number;
}

export interface LayerTest {
  layer: Layer;
  on: boolean;
  ran: boolean;
  action: Action;
  ns: number;
  hits: Hit[];
  reads: HitRead[];
  comment?: string;
}

export interface LeftMessage {
  id: number;
  at: string;
  name: string;
  email: string;
  text: string;
  page_url?: string;
  done: boolean;
}

export interface LeftMessageList {
  items: LeftMessage[];
  next?: string;
}

export interface LeftMessagePatch {
  done: boolean;
}

export interface LeftMessageQuery {
  done: boolean;
  limit: number;
  cursor: string;
}

export interface Licence {
  package: string;
  version: string;
  licence: string;
  text?: string;
}

export interface ListQuery {
  limit: number;
  cursor: string;
}

export interface LiveCommand {
  type: string;
  conversation?: string;
  level?: string;
  after?: number;
}

export interface LiveEvent {
  n: number;
  type: LiveType;
  at: string;
  id?: string;
  stats?: StatsTick;
  status?: Status;
  conversation?: Conversation;
  message?: Message;
  draft?: Draft;
  key?: Key;
  log?: LogLine;
  paths?: string[];
  revision?: number;
  gap?: boolean;
  from?: From;
}

export interface LivePoll {
  events: LiveEvent[];
  last: number;
  gap: boolean;
}

export interface LiveQuery {
  ticket: string;
  after: number;
  watch: string;
  logs: string;
}

export interface LiveTicket {
  ticket: string;
  url: string;
  expires_at: string;
}

export type LiveType = "hello" | "stats" | "status" | "conversation" | "gone" | "message" | "draft" | "typing" | "key" | "settings" | "log" | "filters" | "faq" | "pong";

export interface LogLine {
  n: number;
  at: string;
  level: string;
  text: string;
  attrs: ([string, string])[];
}

export interface LogPage {
  items: LogLine[];
  last: number;
  dropped: number;
}

export interface LogQuery {
  level: string;
  query: string;
  after: number;
  limit: number;
}

export interface Message {
  seq: number;
  from: From;
  text: string;
  at: string;
  id?: string;
  finish?: Finish;
  author?: string;
  sources?: Source[];
  mark?: string;
  turn?: TurnInfo;
}

export interface MessageList {
  items: Message[];
  earlier: boolean;
}

export interface MessageNew {
  id: string;
  text: string;
  take: boolean;
}

export interface MessageQuery {
  after: number;
  before: number;
  limit: number;
}

export type Mode = "ai" | "human" | "waiting" | "offline";

export interface ModeChange {
  mode: Mode;
  force?: boolean;
}

export interface Operator {
  name: string;
  display: string;
  role: AdminRole;
  created_at: string;
  seen_at?: string;
  sessions: number;
  self: boolean;
}

export interface OperatorList {
  items: Operator[];
}

export interface OperatorNew {
  name: string;
  display: string;
  role: AdminRole;
  password: string;
}

export interface OperatorPatch {
  display?: string;
  role?: AdminRole;
  password?: string;
}

export interface OriginTest {
  url: string;
}

export interface OriginVerdict {
  allowed: boolean;
  origin: string;
  rule?: string;
  text: string;
}

export interface Page {
  url?: string;
  title?: string;
  referrer?: string;
}

export interface Passage {
  kind: string;
  title?: string;
  text: string;
  score: number;
  seq?: number;
}

export interface PasswordChange {
  current: string;
  password: string;
}

export interface PatternCheck {
  expr: string;
  text: string;
}

export interface PatternReport {
  ok: boolean;
  error?: string;
  at: number;
  cost: number;
  cost_max: number;
  literal?: string;
  spans: TextSpan[];
}

export interface Pause {
  paused: boolean;
}

export interface Preset {
  id: string;
  name: string;
  base_url: string;
  models: string[];
  keys_url: string;
  need_key: boolean;
  region: string;
  note?: string;
}

export interface PresetList {
  items: Preset[];
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  field?: string;
  hint?: string;
  retry_after?: number;
  current?: unknown;
}

export interface PromptMessage {
  role: Role;
  content: string;
}

export interface PromptPart {
  name: string;
  tokens: number;
}

export interface Provider {
  name: string;
  preset: string;
  base_url: string;
  model: string;
  models: Record<string, string>;
  enabled: boolean;
  state: string;
  reason?: string;
  locked: string[];
  keys: Key[];
}

export interface ProviderWrite {
  name: string;
  preset: string;
  base_url: string;
  model: string;
  models: Record<string, string>;
  enabled: boolean;
}

export interface ReadMark {
  seq: number;
}

export interface RestoreQuery {
  name: string;
}

export interface ReviewConfig {
  on: boolean;
  hold: boolean;
  on_failure: string;
  timeout_ms: number;
  model: string;
  questions: boolean;
  answers: boolean;
  topics: string;
  action: Action;
}

export type Role = "system" | "user" | "assistant";

export interface SeriesInfo {
  name: string;
  unit: string;
}

export interface SeriesList {
  items: SeriesInfo[];
}

export type ServiceState = "ok" | "degraded" | "stopped" | "paused";

export type SessionKind = "signed_in" | "signed_out" | "unclaimed";

export interface SessionState {
  state: SessionKind;
  door: Door;
  operator?: Operator;
  claimable?: boolean;
  product: string;
  version: string;
  site_name: string;
  wizard_done: boolean;
  language: string;
  theme: string;
}

export interface SettingField {
  path: string;
  group: string;
  type: SettingType;
  label: Words;
  help: Words;
  value: unknown;
  default: unknown;
  window?: unknown;
  choices?: Choice[];
  min?: number;
  max?: number;
  unit?: string;
  source: string;
  locked: boolean;
  secret: boolean;
  restart: boolean;
  advanced: boolean;
  page?: string;
  revision: number;
  danger?: Words;
}

export interface SettingGroup {
  id: string;
  name: Words;
  help: Words;
}

export interface SettingPatch {
  path: string;
  value?: unknown;
  revision: number;
  reset?: boolean;
}

export type SettingType = "string" | "text" | "secret" | "bool" | "int" | "float" | "duration" | "enum" | "strings" | "addr" | "url" | "json";

export interface SettingsChange {
  revision: number;
  fields: SettingField[];
  previous: Record<string, unknown>;
  restart: string[];
  warnings: Trouble[];
  admin_url?: string;
  admin_anywhere?: boolean;
}

export interface SettingsState {
  revision: number;
  groups: SettingGroup[];
  fields: SettingField[];
  file?: string;
  restart: string[];
}

export interface SettingsWrite {
  revision: number;
  values: Record<string, unknown>;
}

export interface SignIn {
  name: string;
  password: string;
}

export interface SignOutQuery {
  everywhere: boolean;
}

export interface Site {
  title?: string;
  greeting?: string;
  hours?: string;
  away?: string;
  launcher?: string;
  color?: string;
  side?: string;
  offsetX?: number;
  offsetY?: number;
  zIndex?: number;
  avatar?: string;
  theme?: string;
  locale?: string;
  hidden?: boolean;
  poweredBy?: boolean;
  quick?: string[];
  consent?: SiteConsent;
  prechat?: SiteField[];
  proactive?: SiteProactive[];
  upload?: boolean;
  maxUpload?: number;
  maxChars?: number;
  emoji?: boolean;
  sound?: boolean;
  rating?: boolean;
  human?: boolean;
  transcript?: boolean;
  texts?: Record<string, SiteTexts>;
}

export interface SiteConsent {
  text: string;
  url?: string;
  required?: boolean;
}

export interface SiteField {
  name: string;
  label?: string;
  type?: string;
  required?: boolean;
}

export interface SiteProactive {
  text: string;
  after?: number;
  scroll?: number;
  path?: string;
  open?: boolean;
}

export interface SiteTexts {
  title?: string;
  greeting?: string;
  hours?: string;
  away?: string;
  launcher?: string;
  consentText?: string;
  quick?: string[];
}

export interface Snippet {
  kind: string;
  code: string;
}

export interface Source {
  title: string;
  url?: string;
}

export interface Staged {
  name: string;
  at: string;
  conversations: number;
  version: string;
}

export interface StatsTick {
  t: number;
  values: Record<string, number | null>;
}

export interface Status {
  version: string;
  started_at: string;
  now: string;
  state: ServiceState;
  problems: Trouble[];
  answerer: string;
  public_url: string;
  share_url: string;
  admin_url: string;
  admin_anywhere?: boolean;
  visitors: number;
  waiting: number;
  oldest_wait_s: number;
  waiting_id?: string;
  unread: number;
  answers_today: number;
  first_token_ms: number | null;
  reply_ms: number | null;
  currency: string;
  spend_today: number;
  spend_cap: number;
  saved_today: number;
  unanswered: number;
  left_messages: number;
  restart: string[];
  attached: boolean;
}

export interface StoredFile {
  id: string;
  url: string;
  name: string;
  type: string;
  size: number;
}

export interface TestStep {
  name: string;
  ok: boolean;
  ms: number;
  detail?: string;
}

export interface TextSpan {
  start: number;
  end: number;
}

export interface TicketSignIn {
  ticket: string;
}

export interface Trouble {
  code: string;
  level: string;
  text: string;
  args?: Record<string, string>;
  page?: string;
}

export interface TurnInfo {
  provider?: string;
  key?: string;
  model?: string;
  prompt?: number;
  completion?: number;
  estimated?: boolean;
  cost?: number;
  filter_us?: number;
  prompt_us?: number;
  queue_us?: number;
  first_us?: number;
  total_us?: number;
  merged?: boolean;
  cached?: boolean;
  reason?: string;
  hits?: Hit[];
  trace?: string;
}

export interface TurnTrace {
  seq: number;
  turn: TurnInfo;
  prompt: PromptMessage[];
  passages: Passage[];
  parts: PromptPart[];
}

export interface TypingMark {
  on: boolean;
}

export interface Unanswered {
  id: number;
  text: string;
  lang: string;
  count: number;
  last_at: string;
  conversation?: string;
}

export interface UnansweredList {
  items: Unanswered[];
  next?: string;
}

export interface UpdateOutcome {
  from: string;
  to: string;
  ok: boolean;
  fault?: string;
  at: string;
  seen?: boolean;
}

export interface UpdateState {
  current: string;
  latest?: string;
  notes?: string;
  url?: string;
  checked_at?: string;
  enabled: boolean;
  fault?: string;
  notes_zh?: string;
  managed?: string;
  can_apply: boolean;
  command?: string;
  file?: string;
  stage?: string;
  done?: number;
  total?: number;
  apply_fault?: string;
  last?: UpdateOutcome;
}

export interface Visitor {
  sub?: string;
  name?: string;
  email?: string;
  vip?: boolean;
  locale?: string;
  ip?: string;
  agent?: string;
  facts?: FactSheet;
}

export interface WidgetState {
  look: Site;
  revision: number;
  locked: string[];
  share_url: string;
  public_url: string;
  reachable: boolean;
  chat_url: string;
  snippets: Snippet[];
  origins: string[];
  warnings: Trouble[];
}

export interface WidgetWrite {
  look: Site;
  revision: number;
}

export interface Wizard {
  done: boolean;
  step: string;
  visited: string[];
  first_answer: boolean;
}

export interface WizardWrite {
  step: string;
  done: boolean;
}

export interface WordEdit {
  add: string[];
  remove: string[];
  own?: Record<string, WordOwn>;
}

export interface WordExportQuery {
  format: string;
}

export interface WordList {
  id: number;
  name: string;
  category: string;
  action: Action;
  way: FilterWay;
  replace: string;
  enabled: boolean;
  count: number;
  source: string;
  read_only: boolean;
  updated_at: string;
}

export interface WordListWrite {
  name: string;
  category: string;
  action: Action;
  way: FilterWay;
  replace: string;
  enabled: boolean;
}

export interface WordOwn {
  category: string;
  action: Action;
}

export interface WordPage {
  items: string[];
  own?: Record<string, WordOwn>;
  next?: string;
  total: number;
}

export interface WordQuery {
  query: string;
  limit: number;
  cursor: string;
  skip: number;
}

export interface Words {
  en: string;
  zh: string;
}

export const prefix = "/api/admin/v1";

/** Method, path below prefix and the role it needs. */
export const routes = {
  getSession: ["GET", "/session", ""],
  signIn: ["POST", "/session", ""],
  signOut: ["DELETE", "/session", ""],
  claim: ["POST", "/session/claim", ""],
  signInByTicket: ["POST", "/session/ticket", ""],
  openBrowser: ["POST", "/session/browser", "operator"],
  changePassword: ["PUT", "/session/password", "operator"],
  listOperators: ["GET", "/operators", "operator"],
  addOperator: ["POST", "/operators", "owner"],
  changeOperator: ["PATCH", "/operators/{name}", "owner"],
  removeOperator: ["DELETE", "/operators/{name}", "owner"],
  getStatus: ["GET", "/status", "operator"],
  pause: ["POST", "/status/pause", "owner"],
  getCharts: ["GET", "/charts", "operator"],
  listSeries: ["GET", "/charts/series", "operator"],
  listConversations: ["GET", "/conversations", "operator"],
  getConversation: ["GET", "/conversations/{id}", "operator"],
  deleteConversation: ["DELETE", "/conversations/{id}", "owner"],
  listMessages: ["GET", "/conversations/{id}/messages", "operator"],
  sendMessage: ["POST", "/conversations/{id}/messages", "operator"],
  setMode: ["POST", "/conversations/{id}/mode", "operator"],
  stopAnswer: ["POST", "/conversations/{id}/stop", "operator"],
  markRead: ["POST", "/conversations/{id}/read", "operator"],
  markTyping: ["POST", "/conversations/{id}/typing", "operator"],
  setBlocked: ["POST", "/conversations/{id}/block", "operator"],
  archiveConversation: ["POST", "/conversations/{id}/archive", "operator"],
  exportConversation: ["GET", "/conversations/{id}/export", "operator"],
  getTrace: ["GET", "/conversations/{id}/messages/{seq}/trace", "operator"],
  getFile: ["GET", "/files/{id}", "operator"],
  addFile: ["POST", "/files", "operator"],
  listLeftMessages: ["GET", "/left-messages", "operator"],
  changeLeftMessage: ["PATCH", "/left-messages/{id}", "operator"],
  deleteLeftMessage: ["DELETE", "/left-messages/{id}", "operator"],
  listFAQ: ["GET", "/faq", "operator"],
  addFAQ: ["POST", "/faq", "operator"],
  changeFAQ: ["PUT", "/faq/{id}", "operator"],
  deleteFAQ: ["DELETE", "/faq/{id}", "operator"],
  exportFAQ: ["GET", "/faq/export", "operator"],
  importFAQ: ["POST", "/faq/import", "owner"],
  testFAQ: ["POST", "/faq/test", "operator"],
  listUnanswered: ["GET", "/faq/unanswered", "operator"],
  dismissUnanswered: ["DELETE", "/faq/unanswered/{id}", "operator"],
  getFilters: ["GET", "/filters", "operator"],
  setFilterConfig: ["PUT", "/filters/config", "owner"],
  testFilters: ["POST", "/filters/test", "operator"],
  changeDetector: ["PUT", "/filters/detectors/{name}", "owner"],
  listHits: ["GET", "/filters/hits", "operator"],
  markFalsePositive: ["POST", "/filters/hits/{id}/false-positive", "operator"],
  addException: ["POST", "/filters/exceptions", "owner"],
  deleteException: ["DELETE", "/filters/exceptions/{id}", "operator"],
  addWordList: ["POST", "/filters/lists", "owner"],
  changeWordList: ["PUT", "/filters/lists/{id}", "owner"],
  deleteWordList: ["DELETE", "/filters/lists/{id}", "owner"],
  listWords: ["GET", "/filters/lists/{id}/words", "operator"],
  editWords: ["POST", "/filters/lists/{id}/words", "owner"],
  importWords: ["POST", "/filters/lists/{id}/import", "owner"],
  exportWords: ["GET", "/filters/lists/{id}/export", "operator"],
  addPattern: ["POST", "/filters/patterns", "owner"],
  changePattern: ["PUT", "/filters/patterns/{id}", "owner"],
  deletePattern: ["DELETE", "/filters/patterns/{id}", "owner"],
  checkPattern: ["POST", "/filters/patterns/check", "operator"],
  listKeys: ["GET", "/keys", "operator"],
  addKey: ["POST", "/keys", "owner"],
  changeKey: ["PUT", "/keys/{name}", "owner"],
  deleteKey: ["DELETE", "/keys/{name}", "owner"],
  testKey: ["POST", "/keys/{name}/test", "operator"],
  probeKey: ["POST", "/keys/test", "owner"],
  orderKeys: ["PUT", "/keys/order", "owner"],
  getAnswerCache: ["GET", "/answers", "operator"],
  purgeAnswers: ["DELETE", "/answers", "owner"],
  listPresets: ["GET", "/providers/presets", "operator"],
  addProvider: ["POST", "/providers", "owner"],
  orderProviders: ["PUT", "/providers/order", "owner"],
  changeProvider: ["PUT", "/providers/{name}", "owner"],
  deleteProvider: ["DELETE", "/providers/{name}", "owner"],
  getSettings: ["GET", "/settings", "operator"],
  putSettings: ["PUT", "/settings", "owner"],
  patchSetting: ["PATCH", "/settings", "owner"],
  checkAddr: ["POST", "/settings/addr", "owner"],
  getWidget: ["GET", "/widget", "operator"],
  putWidget: ["PUT", "/widget", "owner"],
  testOrigin: ["POST", "/widget/origin", "operator"],
  getArchive: ["GET", "/archive", "operator"],
  testArchive: ["POST", "/archive/test", "owner"],
  runArchive: ["POST", "/archive/run", "owner"],
  listBackups: ["GET", "/backups", "owner"],
  addBackup: ["POST", "/backups", "owner"],
  downloadBackup: ["GET", "/backups/{name}", "owner"],
  deleteBackup: ["DELETE", "/backups/{name}", "owner"],
  verifyBackup: ["POST", "/backups/{name}/verify", "owner"],
  stageRestore: ["POST", "/backups/{name}/restore", "owner"],
  uploadBackup: ["POST", "/restore/upload", "owner"],
  cancelRestore: ["DELETE", "/restore", "owner"],
  listLogs: ["GET", "/logs", "owner"],
  downloadBundle: ["GET", "/logs/bundle", "owner"],
  getUpdates: ["GET", "/updates", "operator"],
  checkUpdates: ["POST", "/updates/check", "owner"],
  applyUpdate: ["POST", "/updates/apply", "owner"],
  seeUpdate: ["POST", "/updates/seen", "owner"],
  getWizard: ["GET", "/wizard", "operator"],
  putWizard: ["PUT", "/wizard", "owner"],
  getAbout: ["GET", "/about", "operator"],
  getLiveTicket: ["POST", "/live/ticket", "operator"],
  pollLive: ["GET", "/live", ""],
} as const;

export type RouteName = keyof typeof routes;

/** What each route takes and gives; raw bodies are Blobs. */
export interface Api {
  getSession: { params: undefined; query: undefined; request: undefined; response: SessionState };
  signIn: { params: undefined; query: undefined; request: SignIn; response: SessionState };
  signOut: { params: undefined; query: Partial<SignOutQuery>; request: undefined; response: void };
  claim: { params: undefined; query: undefined; request: Claim; response: SessionState };
  signInByTicket: { params: undefined; query: undefined; request: TicketSignIn; response: SessionState };
  openBrowser: { params: undefined; query: undefined; request: undefined; response: BrowserLink };
  changePassword: { params: undefined; query: undefined; request: PasswordChange; response: void };
  listOperators: { params: undefined; query: undefined; request: undefined; response: OperatorList };
  addOperator: { params: undefined; query: undefined; request: OperatorNew; response: Operator };
  changeOperator: { params: { name: string | number }; query: undefined; request: OperatorPatch; response: Operator };
  removeOperator: { params: { name: string | number }; query: undefined; request: undefined; response: void };
  getStatus: { params: undefined; query: undefined; request: undefined; response: Status };
  pause: { params: undefined; query: undefined; request: Pause; response: Status };
  getCharts: { params: undefined; query: Partial<ChartQuery>; request: undefined; response: Charts };
  listSeries: { params: undefined; query: undefined; request: undefined; response: SeriesList };
  listConversations: { params: undefined; query: Partial<ConversationQuery>; request: undefined; response: ConversationList };
  getConversation: { params: { id: string | number }; query: undefined; request: undefined; response: ConversationDetail };
  deleteConversation: { params: { id: string | number }; query: undefined; request: undefined; response: void };
  listMessages: { params: { id: string | number }; query: Partial<MessageQuery>; request: undefined; response: MessageList };
  sendMessage: { params: { id: string | number }; query: undefined; request: MessageNew; response: Message };
  setMode: { params: { id: string | number }; query: undefined; request: ModeChange; response: Conversation };
  stopAnswer: { params: { id: string | number }; query: undefined; request: undefined; response: void };
  markRead: { params: { id: string | number }; query: undefined; request: ReadMark; response: void };
  markTyping: { params: { id: string | number }; query: undefined; request: TypingMark; response: void };
  setBlocked: { params: { id: string | number }; query: undefined; request: BlockChange; response: Conversation };
  archiveConversation: { params: { id: string | number }; query: undefined; request: undefined; response: Conversation };
  exportConversation: { params: { id: string | number }; query: Partial<ExportQuery>; request: undefined; response: Blob };
  getTrace: { params: { id: string | number; seq: string | number }; query: undefined; request: undefined; response: TurnTrace };
  getFile: { params: { id: string | number }; query: undefined; request: undefined; response: Blob };
  addFile: { params: undefined; query: Partial<FileQuery>; request: Blob | string; response: StoredFile };
  listLeftMessages: { params: undefined; query: Partial<LeftMessageQuery>; request: undefined; response: LeftMessageList };
  changeLeftMessage: { params: { id: string | number }; query: undefined; request: LeftMessagePatch; response: LeftMessage };
  deleteLeftMessage: { params: { id: string | number }; query: undefined; request: undefined; response: void };
  listFAQ: { params: undefined; query: Partial<FAQQuery>; request: undefined; response: FAQList };
  addFAQ: { params: undefined; query: undefined; request: FAQWrite; response: FAQEntry };
  changeFAQ: { params: { id: string | number }; query: undefined; request: FAQWrite; response: FAQEntry };
  deleteFAQ: { params: { id: string | number }; query: undefined; request: undefined; response: void };
  exportFAQ: { params: undefined; query: Partial<FAQExportQuery>; request: undefined; response: Blob };
  importFAQ: { params: undefined; query: Partial<ImportQuery>; request: Blob | string; response: ImportReport };
  testFAQ: { params: undefined; query: undefined; request: FAQTest; response: FAQTestResult };
  listUnanswered: { params: undefined; query: Partial<ListQuery>; request: undefined; response: UnansweredList };
  dismissUnanswered: { params: { id: string | number }; query: undefined; request: undefined; response: void };
  getFilters: { params: undefined; query: undefined; request: undefined; response: Filters };
  setFilterConfig: { params: undefined; query: undefined; request: FilterConfig; response: FilterConfig };
  testFilters: { params: undefined; query: undefined; request: FilterTest; response: FilterTestResult };
  changeDetector: { params: { name: string | number }; query: undefined; request: DetectorWrite; response: Detector };
  listHits: { params: undefined; query: Partial<HitQuery>; request: undefined; response: HitList };
  markFalsePositive: { params: { id: string | number }; query: undefined; request: undefined; response: FilterException };
  addException: { params: undefined; query: undefined; request: FilterExceptionNew; response: FilterException };
  deleteException: { params: { id: string | number }; query: undefined; request: undefined; response: void };
  addWordList: { params: undefined; query: undefined; request: WordListWrite; response: WordList };
  changeWordList: { params: { id: string | number }; query: undefined; request: WordListWrite; response: WordList };
  deleteWordList: { params: { id: string | number }; query: undefined; request: undefined; response: void };
  listWords: { params: { id: string | number }; query: Partial<WordQuery>; request: undefined; response: WordPage };
  editWords: { params: { id: string | number }; query: undefined; request: WordEdit; response: ImportReport };
  importWords: { params: { id: string | number }; query: Partial<ImportQuery>; request: Blob | string; response: ImportReport };
  exportWords: { params: { id: string | number }; query: Partial<WordExportQuery>; request: undefined; response: Blob };
  addPattern: { params: undefined; query: undefined; request: FilterPatternWrite; response: FilterPattern };
  changePattern: { params: { id: string | number }; query: undefined; request: FilterPatternWrite; response: FilterPattern };
  deletePattern: { params: { id: string | number }; query: undefined; request: undefined; response: void };
  checkPattern: { params: undefined; query: undefined; request: PatternCheck; response: PatternReport };
  listKeys: { params: undefined; query: undefined; request: undefined; response: KeyRing };
  addKey: { params: undefined; query: undefined; request: KeyNew; response: Key };
  changeKey: { params: { name: string | number }; query: undefined; request: KeyPatch; response: Key };
  deleteKey: { params: { name: string | number }; query: undefined; request: undefined; response: void };
  testKey: { params: { name: string | number }; query: undefined; request: undefined; response: KeyTest };
  probeKey: { params: undefined; query: undefined; request: KeyProbe; response: KeyTest };
  orderKeys: { params: undefined; query: undefined; request: KeyOrder; response: KeyRing };
  getAnswerCache: { params: undefined; query: undefined; request: undefined; response: AnswerCache };
  purgeAnswers: { params: undefined; query: undefined; request: undefined; response: AnswerCache };
  listPresets: { params: undefined; query: undefined; request: undefined; response: PresetList };
  addProvider: { params: undefined; query: undefined; request: ProviderWrite; response: Provider };
  orderProviders: { params: undefined; query: undefined; request: KeyOrder; response: KeyRing };
  changeProvider: { params: { name: string | number }; query: undefined; request: ProviderWrite; response: Provider };
  deleteProvider: { params: { name: string | number }; query: undefined; request: undefined; response: void };
  getSettings: { params: undefined; query: undefined; request: undefined; response: SettingsState };
  putSettings: { params: undefined; query: undefined; request: SettingsWrite; response: SettingsChange };
  patchSetting: { params: undefined; query: undefined; request: SettingPatch; response: SettingsChange };
  checkAddr: { params: undefined; query: undefined; request: AddrCheck; response: AddrReport };
  getWidget: { params: undefined; query: undefined; request: undefined; response: WidgetState };
  putWidget: { params: undefined; query: undefined; request: WidgetWrite; response: WidgetState };
  testOrigin: { params: undefined; query: undefined; request: OriginTest; response: OriginVerdict };
  getArchive: { params: undefined; query: undefined; request: undefined; response: ArchiveStatus };
  testArchive: { params: undefined; query: undefined; request: ArchiveProbe; response: ArchiveTest };
  runArchive: { params: undefined; query: undefined; request: undefined; response: ArchiveRun };
  listBackups: { params: undefined; query: undefined; request: undefined; response: Backups };
  addBackup: { params: undefined; query: undefined; request: BackupNew; response: Backup };
  downloadBackup: { params: { name: string | number }; query: undefined; request: undefined; response: Blob };
  deleteBackup: { params: { name: string | number }; query: undefined; request: undefined; response: void };
  verifyBackup: { params: { name: string | number }; query: undefined; request: BackupOpen; response: Backup };
  stageRestore: { params: { name: string | number }; query: undefined; request: BackupOpen; response: Staged };
  uploadBackup: { params: undefined; query: Partial<RestoreQuery>; request: Blob | string; response: Backup };
  cancelRestore: { params: undefined; query: undefined; request: undefined; response: void };
  listLogs: { params: undefined; query: Partial<LogQuery>; request: undefined; response: LogPage };
  downloadBundle: { params: undefined; query: undefined; request: undefined; response: Blob };
  getUpdates: { params: undefined; query: undefined; request: undefined; response: UpdateState };
  checkUpdates: { params: undefined; query: undefined; request: undefined; response: UpdateState };
  applyUpdate: { params: undefined; query: undefined; request: undefined; response: UpdateState };
  seeUpdate: { params: undefined; query: undefined; request: undefined; response: UpdateState };
  getWizard: { params: undefined; query: undefined; request: undefined; response: Wizard };
  putWizard: { params: undefined; query: undefined; request: WizardWrite; response: Wizard };
  getAbout: { params: undefined; query: undefined; request: undefined; response: About };
  getLiveTicket: { params: undefined; query: undefined; request: undefined; response: LiveTicket };
  pollLive: { params: undefined; query: Partial<LiveQuery>; request: undefined; response: LivePoll };
}
