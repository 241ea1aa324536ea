/** What may be open above the page. */
class Overlays {
  open = $state<'' | 'palette' | 'help'>('');
  palette(): void {
    this.open = 'palette';
  }
  help(): void {
    this.open = 'help';
  }
  close(): void {
    this.open = '';
  }
}

export const overlays = new Overlays();
