/** The dtype of a module's codes as the string that h5py writes: of a Linear, and of a table with 8 or 4 bits. */
export const CODE_DTYPES = { linear: 'qint8', 8: 'quint8', 4: 'quint4x2' } as const;
