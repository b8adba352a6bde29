/** The string that stands for the dtype of a module's codes, as h5py writes it: of a Linear, and of a table with 8 or 4 bits an element. */
export const CODE_DTYPES = { linear: 'qint8', 8: 'quint8', 4: 'quint4x2' } as const;
