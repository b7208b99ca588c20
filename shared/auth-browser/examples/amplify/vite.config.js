import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const { LATCHKEY = 'http://127.0.0.1:8787' } = process.env;

// One origin for the page and the API, as CloudFront gives a deployment.
const proxy = { '/api': { target: LATCHKEY, rewrite: (path) => path.slice('/api'.length) } };

export default defineConfig({
  plugins: [react()],
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
});
