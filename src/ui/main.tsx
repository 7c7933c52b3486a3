import { render } from 'preact';
import { App } from './app';
import { listenToKeys } from './keyboard';
import { followTheme } from './preferences';
import { startWatching } from './source';
import './styles.css';

const root = document.getElementById('app');
followTheme();
listenToKeys();
startWatching();
if (root) render(<App />, root);
