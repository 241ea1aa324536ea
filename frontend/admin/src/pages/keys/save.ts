import type { Provider } from '../../api/types';
import { app } from '../../lib/app.svelte';
import type { Entry } from './ProviderForm.svelte';

/**
 * Saves what was typed: the provider first, then its key, so that a key never
 * stands under an address it was not meant for.
 */
export async function saveProvider(entry: Entry, provider: Provider | undefined, name: string): Promise<void> {
  const body = { name: provider?.name ?? name, preset: entry.preset, base_url: entry.base_url.trim(), model: entry.model.trim(), models: provider?.models ?? {}, enabled: true };
  if (provider) await app.call('changeProvider', { params: { name: provider.name }, body });
  else await app.call('addProvider', { body });
  if (entry.value) await app.call('addKey', { body: { name: '', provider: body.name, value: entry.value, rpm: 0, tpm: 0, weight: 1 } });
}
