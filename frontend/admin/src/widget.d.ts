// The widget's own sources, of which the page shows the same Markdown. They are
// checked where they live.
declare module '@widget/md' {
  export interface Marks {
    own(url: string): string;
    rich?: unknown;
  }
  export function md(text: string, to: Node, marks?: Marks): void;
  export function stableEnd(text: string, from: number): number;
}
declare module '@widget/rich' {
  export const rich: unknown;
}
