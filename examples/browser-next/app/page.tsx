'use client';

import { openModel } from '@prune/web';
import { useEffect, useState } from 'react';

async function ask(signal: AbortSignal): Promise<string> {
  const model = await openModel('/mini-qa.prune', { signal });
  try {
    const { text, score } = await model.answer({
      question: 'What became popular during the 1920s?',
      context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
      signal,
    });
    return `${text} (score ${score.toFixed(4)})`;
  } finally {
    await model.close();
  }
}

export default function Page() {
  const [answer, setAnswer] = useState('');
  useEffect(() => {
    const leaving = new AbortController();
    ask(leaving.signal).then(setAnswer, (error) => {
      if (!leaving.signal.aborted) setAnswer(error.message);
    });
    return () => leaving.abort();
  }, []);
  return <output>{answer}</output>;
}
