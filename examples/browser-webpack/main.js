import { openModel } from '@prune/web';

const model = await openModel('mini-qa.prune');
const { text, score } = await model.answer({
  question: 'What became popular during the 1920s?',
  context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
});
document.querySelector('output').textContent = `${text} (score ${score.toFixed(4)})`;
await model.close();
