/** What can be measured, in the order of the report. */
export const SECTIONS = ['sizes', 'codec', 'pack', 'load', 'infer', 'speed', 'web', 'accuracy'] as const;
export type SectionName = (typeof SECTIONS)[number];
