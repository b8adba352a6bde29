import { defineConfig } from 'vite';

export default defineConfig({
  // The page waits for the model at its top level.
  build: { target: 'es2022' },
  // `vite dev` would move the package's code away from the file of its worker.
  optimizeDeps: { exclude: ['@prune/web'] },
});
