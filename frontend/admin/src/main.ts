import { mount } from 'svelte';
import App from './App.svelte';
import { notes } from './lib/notes.svelte';
import { prefs } from './lib/prefs.svelte';
import { router } from './lib/router.svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/first.css';

prefs.start();
router.start();
addEventListener('pagehide', () => notes.flush());

const target = document.getElementById('app');
if (target) mount(App, { target });
