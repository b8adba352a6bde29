import { afterEach, expect, test, vi } from 'vitest';
import { platformPackage } from './addon.js';

afterEach(() => vi.restoreAllMocks());

function reporting(header: object): void {
  vi.spyOn(process.report, 'getReport').mockReturnValue({ header } as never);
}

test.skipIf(process.platform !== 'linux')('musl is told from glibc, which names its version in a report', () => {
  reporting({ glibcVersionRuntime: '2.36' });
  expect(platformPackage()).toBe(`@prune/kernels-native-linux-${process.arch}`);
  reporting({});
  expect(platformPackage()).toBe(`@prune/kernels-native-linux-${process.arch}-musl`);
});

test('asking for the C library leaves the settings of reports as they were', () => {
  const { report } = process as unknown as { report: { excludeNetwork: boolean | undefined } };
  const before = report.excludeNetwork;
  platformPackage();
  expect(report.excludeNetwork).toBe(before);
});
