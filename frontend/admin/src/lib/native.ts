/**
 * What a browser cannot do. In the window the shell binds a small object; in a
 * browser every function falls back to what the web offers.
 */
interface Bridge {
  /** Asks where to save and writes what the API answers at path. '' when cancelled. */
  Download?(path: string, name: string): Promise<string>;
  /** Asks where to save and writes these bytes, in base64. '' when cancelled. */
  SaveBytes?(name: string, base64: string): Promise<string>;
  /** Shows a file or folder in the file manager. */
  Reveal?(path: string): Promise<void>;
  /** A native notification; a click opens the page at this hash. */
  Notify?(title: string, body: string, hash: string): Promise<void>;
}

interface WailsRuntime {
  BrowserOpenURL?(url: string): void;
  ClipboardSetText?(text: string): Promise<boolean>;
}

declare global {
  interface Window {
    go?: { app?: { Bridge?: Bridge } };
    runtime?: WailsRuntime;
  }
}

const bridge = (): Bridge | undefined => window.go?.app?.Bridge;

/** The page runs in the native window. */
export const inWindow = (): boolean => bridge() !== undefined;

/** Addresses that may be opened outside; anything else is ignored. */
export function safeLink(url: string): string | null {
  try {
    const parsed = new URL(url);
    return ['http:', 'https:', 'mailto:', 'tel:'].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/** Opens an address in the real browser. */
export function openLink(url: string): void {
  const safe = safeLink(url);
  if (!safe) return;
  if (window.runtime?.BrowserOpenURL) window.runtime.BrowserOpenURL(safe);
  else window.open(safe, '_blank', 'noopener,noreferrer');
}

/** Copies a text; false when this place does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    if (window.runtime?.ClipboardSetText) return await window.runtime.ClipboardSetText(text);
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

// Plain HTTP has no clipboard API.
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'sr-only';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

/** Saves what the API answers at path as a file. */
export async function download(path: string, name: string): Promise<void> {
  const native = bridge()?.Download;
  if (native) {
    await native(path, name);
    return;
  }
  click(path, name);
}

/** Saves a blob made here as a file. */
export async function saveBlob(blob: Blob, name: string): Promise<void> {
  const native = bridge()?.SaveBytes;
  if (native) {
    await native(name, await base64(blob));
    return;
  }
  const url = URL.createObjectURL(blob);
  click(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A notification for somebody who is not looking. */
export function notify(title: string, body: string, hash: string): void {
  const native = bridge()?.Notify;
  if (native) void native(title, body, hash);
}

function click(href: string, name: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error ?? new Error('read blob'));
    reader.readAsDataURL(blob);
  });
}
